package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"unicode/utf8"
)

const (
	maxBytes      = 256 * 1024
	maxDepth      = 12
	maxGeneration = 1<<53 - 1
	patienceS     = 300
)

var errRefused = errors.New("the document cannot be used")

type object = map[string]any

type document struct {
	generation int
	body       object
}

// parse returns what a document says. It panics inside where something is wrong, and that becomes an error here.
func parse(content []byte) (read document, err error) {
	defer func() {
		if recover() != nil {
			err = errRefused
		}
	}()
	require(len(content) <= maxBytes)
	head, rest, found := bytes.Cut(content, []byte("\n"))
	body := bytes.TrimSuffix(rest, []byte("\n"))
	require(found && !bytes.Contains(body, []byte("\n")))
	header := load(head)
	sum := sha256.Sum256(body)
	require(header["format"] == "presage.dev/recording/v1" && header["sha256"] == hex.EncodeToString(sum[:]))
	return document{whole(header["generation"], maxGeneration), readBody(load(body))}, nil
}

func require(holds bool) {
	if !holds {
		panic(errRefused)
	}
}

func load(line []byte) object {
	require(utf8.Valid(line) && depth(line) <= maxDepth)
	var found object
	require(json.Unmarshal(line, &found) == nil && found != nil)
	return found
}

func depth(line []byte) int {
	deepest, now, inText, escaped := 0, 0, false, false
	for _, c := range line {
		switch {
		case escaped:
			escaped = false
		case inText && c == '\\':
			escaped = true
		case c == '"':
			inText = !inText
		case inText:
		case c == '{' || c == '[':
			now++
			deepest = max(deepest, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return deepest
}

func readBody(body object) object {
	owner := body["metricProfile"].(object)
	return object{
		"metricProfile": object{"namespace": text(owner["namespace"], 253), "name": text(owner["name"], 253)},
		"attributeSets": whole(body["attributeSets"], 100_000),
		"default":       readProfile(body["default"]),
		"eventTypes":    each(body["eventTypes"], 64, readEvent),
	}
}

func readEvent(raw any) any {
	event := raw.(object)
	found := object{"profile": readProfile(event["profile"])}
	if event["escalation"] != nil {
		up := event["escalation"].(object)
		found["escalation"] = object{
			"profile": readProfile(up["profile"]),
			"share":   decimal(up["share"], 1),
			"until":   decimal(up["until"], maxGeneration),
		}
	}
	return found
}

func readProfile(raw any) any {
	profile := raw.(object)
	return object{
		"name":                  text(profile["name"], 253),
		"exportIntervalSeconds": whole(profile["exportIntervalSeconds"], 3600),
		"exemplars":             optional(profile, "exemplars", false).(bool),
		"metrics":               each(profile["metrics"], 64, readMetric),
	}
}

func readMetric(raw any) any {
	metric := raw.(object)
	given := optional(metric, "attributes", []any{}).([]any)
	require(len(given) <= 16)
	names, seen := []string{}, map[string]bool{}
	for _, value := range given {
		name := text(value, 128)
		if !seen[name] {
			names, seen[name] = append(names, name), true
		}
	}
	return object{
		"everyEvents": whole(metric["everyEvents"], 1_000_000_000),
		"attributes":  names,
		"retention":   text(metric["retention"], 253),
	}
}

func optional(raw object, name string, otherwise any) any {
	if value, given := raw[name]; given {
		return value
	}
	return otherwise
}

func each(raw any, most int, read func(any) any) object {
	given, found := raw.(object), object{}
	require(given != nil && len(given) <= most)
	for name, value := range given {
		found[text(name, 128)] = read(value)
	}
	return found
}

func text(raw any, most int) string {
	value := raw.(string)
	require(value != "" && utf8.RuneCountInString(value) <= most)
	return value
}

func whole(raw any, most int) int {
	value := raw.(float64)
	require(value == math.Trunc(value) && value >= 1 && value <= float64(most))
	return int(value)
}

func decimal(raw any, most float64) float64 {
	value := raw.(float64)
	require(value >= 0 && value <= most)
	return value
}

// file holds the newest good document of a file that is looked at again and again.
type file struct {
	current, waiting *document
	since            float64
}

func (f *file) generation() int {
	if f.current == nil {
		return 0
	}
	return f.current.generation
}

func (f *file) look(content []byte, at float64) {
	read, err := parse(content)
	if err != nil {
		return
	}
	switch {
	case f.current == nil, !reflect.DeepEqual(owner(read), owner(*f.current)), read.generation > f.current.generation:
		f.current, f.waiting = &read, nil
	case reflect.DeepEqual(read, *f.current):
		f.waiting = nil
	case f.waiting == nil || !reflect.DeepEqual(owner(read), owner(*f.waiting)) || read.generation != f.waiting.generation:
		f.waiting, f.since = &read, at
	case at-f.since >= patienceS:
		f.current, f.waiting = &read, nil
	}
}

func owner(d document) any { return d.body["metricProfile"] }
