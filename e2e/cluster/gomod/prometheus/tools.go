//go:build tools

// Package tools names the commands built from this module, so that go mod tidy keeps their requirements.
package tools

import (
	_ "github.com/prometheus/prometheus/cmd/prometheus"
	_ "github.com/prometheus/prometheus/cmd/promtool"
)
