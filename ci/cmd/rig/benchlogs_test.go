package main

import (
	"fmt"
	"strings"
	"testing"
)

// logsPrinted is what the benchmark prints: the second of three rounds has the medians.
func logsPrinted(lost int) string {
	var printed strings.Builder
	for round, factor := range []float64{4, 1, 0.5} {
		for _, size := range []string{"100B", "1kB"} {
			for i, agent := range []string{"outrigger", "rsyslog", "rsyslog-disk", "tail-nc", "cat"} {
				fmt.Fprintf(&printed, "BenchmarkLogs/ship=%s/%s/round=%d-2 \t 1\t 1 ns/op\t %f MB/s\t %f cpu-s/Mline\t %f lines/s\t %d lost\t %f peak-MB\n",
					size, agent, round+1, 30*factor, (3+float64(i))*factor, 300_000*factor, lost, 50+factor)
			}
		}
	}
	for _, agent := range []string{"outrigger", "rsyslog"} {
		fmt.Fprintf(&printed, "BenchmarkLogs/live/%s-2 1 1 ns/op 0.25 idle-cpu-%% 30.5 idle-MB 9 idle-anon-MB 250 low-p50-ms 333 low-p99-ms 0 low-lost 0 high-lost 40 peak-MB\n", agent)
	}
	return "goos: linux\n" + printed.String() + "PASS\n"
}

func TestTheReportOfShippingEndsWithMediansAndTheHighestPeak(t *testing.T) {
	report, err := logsReport(logsPrinted(0))

	want := `bench: logs/cpu-vs-rsyslog 0.75 ratio
bench: logs/lines-per-s 300000 lines/s
bench: logs/idle-memory-mb 30.5 MB
bench: logs/peak-memory-mb 54.0 MB
bench: logs/latency-p99-ms 333 ms`
	if err != nil || !strings.HasSuffix(report, want) {
		t.Errorf("got %v\n%s\nwant at its end\n%s", err, report, want)
	}
	for _, row := range []string{
		"| CPU s per million | 3.00 | 4.00 | 5.00 | 6.00 | 7.00 |", "| idle: resident, anonymous MB | 30.5, 9.0 | 30.5, 9.0 |  |  |  |",
	} {
		if !strings.Contains(report, row) {
			t.Errorf("the table lacks %q:\n%s", row, report)
		}
	}
}

func TestLinesThatTheSidecarLostAreAnError(t *testing.T) {
	report, err := logsReport(logsPrinted(1))

	if err == nil || report != "" {
		t.Errorf("got %q, %v", report, err)
	}
}

func TestABenchmarkOfShippingThatDidNotMeasureAllIsAnError(t *testing.T) {
	report, err := logsReport("BenchmarkLogs/ship=100B/outrigger/round=1-2 1 1 ns/op 1 cpu-s/Mline 5 lines/s\n")

	if err == nil || report != "" {
		t.Errorf("got %q, %v", report, err)
	}
}
