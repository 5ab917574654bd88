package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// generator is splitmix64; its value is the state.
type generator uint64

func (g *generator) next() uint64 {
	*g += 0x9E3779B97F4A7C15
	z := uint64(*g)
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

func firstEight(text string) uint64 {
	sum := sha256.Sum256([]byte(text))
	return binary.BigEndian.Uint64(sum[:8])
}

func deriveSeed(seed uint64, eventType, metric string) uint64 {
	return firstEight(fmt.Sprintf("%d/%s/%s", seed, eventType, metric))
}

func inShare(instance string, share float64) bool {
	return float64(firstEight(instance))/(1<<64) < share
}

// sampler keeps one event of each block of so many.
type sampler struct {
	every, at, position int
	g                   *generator
}

func newSampler(every int, g *generator) *sampler {
	return &sampler{every: every, at: every, g: g}
}

func (s *sampler) draw() int {
	return int(float64(s.g.next()>>11) / (1 << 53) * float64(s.every))
}

func (s *sampler) keep() bool {
	if s.at == s.every {
		s.at, s.position = 0, s.draw()
	}
	s.at++
	return s.at-1 == s.position
}
