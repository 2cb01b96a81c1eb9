//go:build !linux

package bench

import "time"

var began = time.Now()

// processorTime returns what elapses.
func processorTime() time.Duration { return time.Since(began) }
