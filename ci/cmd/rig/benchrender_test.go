package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestTheReportEndsWithTheMediansAndTheirSlopes(t *testing.T) {
	var printed strings.Builder
	for _, run := range []float64{1, 0.5, 40} { // of which the first is the median
		for _, size := range []struct{ sidecars, ours, byHand float64 }{
			{0, 2, 0.1}, {1, 2.5, 0.3}, {3, 3.5, 0.5}, {10, 7, 1}, {30, 17, 2}, {100, 87, 9},
		} {
			fmt.Fprintf(&printed, "BenchmarkRender/outrigger/sidecars=%v-2 \t 10\t 1 ns/op\t %f cpu-ns/op\t 8 B/op\t 3 allocs/op\n", size.sidecars, run*size.ours*1e6)
			fmt.Fprintf(&printed, "BenchmarkRender/by-hand/sidecars=%v \t 10\t 1 ns/op\t %f cpu-ns/op\t 8 B/op\t 3 allocs/op\n", size.sidecars, run*size.byHand*1e6)
		}
	}

	for name, ms := range map[string]float64{"Schema": 6, "Whole/create": 5, "Whole/library": 19, "Whole/plain": 30, "Whole/manifest": 45} {
		fmt.Fprintf(&printed, "Benchmark%s-2 \t 10\t 1 ns/op\t %f cpu-ns/op\t 8 B/op\t 3 allocs/op\n", name, ms*1e6)
	}

	report, err := renderReport("goos: linux\n" + printed.String() + "PASS\n")

	want := "bench: render/base-ms 14.00 ms\nbench: render/schema-ms 6.00 ms\nbench: render/manifest-ms 1.50 ms\nbench: render/per-sidecar-ms 0.500 ms\nbench: render/slope-ratio 2.00 ratio"
	if err != nil || !strings.HasSuffix(report, want) {
		t.Errorf("got %v\n%s\nwant at its end\n%s", err, report, want)
	}
	for _, row := range []string{"100  87.00", "9.00", "9.7"} {
		if !strings.Contains(report, row) {
			t.Errorf("the table lacks %q:\n%s", row, report)
		}
	}
}

func TestABenchmarkThatLacksASizeIsAnError(t *testing.T) {
	report, err := renderReport("BenchmarkRender/outrigger/sidecars=0-2 10 1 ns/op 1 cpu-ns/op\n")

	if err == nil || report != "" {
		t.Errorf("got %q, %v", report, err)
	}
}
