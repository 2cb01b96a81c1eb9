package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"
)

// counts is the outcome of a run of 'go test -json'. Subtests count as tests.
type counts struct {
	passed, failed    int
	failures, skipped []string // names
}

// event is what is needed of a line that 'go test -json' prints (go doc test2json).
type event struct{ Action, Package, ImportPath, Test string }

// countEvents counts. A package that fails without a test of its own failing (it does not compile, its
// TestMain gives up, it runs out of time) counts as one failure.
func countEvents(r io.Reader) (counts, error) {
	var c counts
	failedIn := map[string]bool{}
	reader := bufio.NewReader(r)
	for {
		line, err := reader.ReadBytes('\n')
		var e event
		if len(line) > 0 && json.Unmarshal(line, &e) == nil {
			c.add(e, failedIn)
		}
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return c, err
		}
	}
}

func (c *counts) add(e event, failedIn map[string]bool) {
	name := e.Package
	if e.Test != "" {
		name += " " + e.Test
	}
	switch {
	case e.Test != "" && e.Action == "pass":
		c.passed++
	case e.Test != "" && e.Action == "skip":
		c.skipped = append(c.skipped, name)
	case e.Action == "fail" && (e.Test != "" || !failedIn[e.Package]):
		failedIn[e.Package] = true
		c.failed++
		c.failures = append(c.failures, name)
	}
}

func countFile(path string) (counts, error) {
	f, err := os.Open(path)
	if err != nil {
		return counts{}, err
	}
	defer f.Close()
	return countEvents(f)
}
