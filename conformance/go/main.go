// Command conformance is a reader and sampler of the recording document in Go, written from docs/other-languages.md
// and docs/reference/recording-document.md alone. It answers the questions of the conformance kit:
//
//	python3 conformance/run.py go run -C conformance/go .
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

type content struct {
	Text   *string `json:"text"`
	Base64 string  `json:"base64"`
}

func (c content) bytes() []byte {
	if c.Text != nil {
		return []byte(*c.Text)
	}
	raw, err := base64.StdEncoding.DecodeString(c.Base64)
	if err != nil {
		panic(err)
	}
	return raw
}

type question struct {
	content
	What      string  `json:"what"`
	State     string  `json:"state"`
	Draws     int     `json:"draws"`
	Seed      string  `json:"seed"`
	EventType string  `json:"eventType"`
	Metric    string  `json:"metric"`
	Instance  string  `json:"instance"`
	Share     float64 `json:"share"`
	Parts     []struct {
		EveryEvents int `json:"everyEvents"`
		Events      int `json:"events"`
	} `json:"parts"`
	Steps []struct {
		At      float64  `json:"at"`
		Content *content `json:"content"`
	} `json:"steps"`
}

func answer(ask question) any {
	switch ask.What {
	case "generator":
		outputs := []string{}
		g := generator(number(ask.State))
		for range ask.Draws {
			outputs = append(outputs, strconv.FormatUint(g.next(), 10))
		}
		return map[string]any{"outputs": outputs}
	case "seed":
		return map[string]any{"state": strconv.FormatUint(deriveSeed(number(ask.Seed), ask.EventType, ask.Metric), 10)}
	case "share":
		return map[string]any{"in": inShare(ask.Instance, ask.Share)}
	case "sampler":
		return map[string]any{"kept": keptEvents(ask)}
	case "document":
		read, err := parse(ask.bytes())
		if err != nil {
			return map[string]any{"refused": true}
		}
		return map[string]any{"generation": read.generation, "body": read.body}
	case "file":
		inForce, f := []int{}, file{}
		for _, step := range ask.Steps {
			if step.Content != nil {
				f.look(step.Content.bytes(), step.At)
			}
			inForce = append(inForce, f.generation())
		}
		return map[string]any{"inForce": inForce}
	}
	return map[string]any{}
}

func keptEvents(ask question) []int {
	kept, event := []int{}, 0
	g := generator(number(ask.State))
	for _, part := range ask.Parts {
		s := newSampler(part.EveryEvents, &g)
		for range part.Events {
			if s.keep() {
				kept = append(kept, event)
			}
			event++
		}
	}
	return kept
}

func number(text string) uint64 {
	value, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<24)
	for in.Scan() {
		var ask question
		if err := json.Unmarshal(in.Bytes(), &ask); err != nil {
			panic(err)
		}
		line, err := json.Marshal(answer(ask))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}
