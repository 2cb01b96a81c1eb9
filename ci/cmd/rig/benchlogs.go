package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// benchLogs measures what shipping log files costs with the library's sidecar, and with what else one might take.
func benchLogs(ctx context.Context, r *rig.Rig) error {
	if runtime.GOOS != "linux" {
		return fmt.Errorf("bench-logs runs the sidecar on this machine, and reads what it uses from /proc: it needs Linux")
	}
	if _, err := r.BusyBox(ctx); err != nil {
		return err
	}
	if _, err := r.Collector(ctx); err != nil {
		return err
	}
	if _, err := r.RSyslog(ctx); err != nil {
		return err
	}
	r.Reporter.Plan(1)
	var printed string
	if err := r.Reporter.Step(ctx, "Ship files with each agent in turns", func(ctx context.Context, s *progress.Step) (err error) {
		printed, err = proc.Run(ctx, proc.Cmd{
			Args: []string{"go", "test", "./tests/bench/logs", "-run", "^$", "-bench", "^BenchmarkLogs$", "-benchtime", "1x", "-timeout", "40m"},
			Dir:  r.Root, Log: s.Log(),
		})
		return err
	}); err != nil {
		return err
	}
	text, err := logsReport(printed)
	if err != nil {
		return err
	}
	r.Reporter.Say("\nMeasured on this machine (%d cores, %s/%s, %s), which also runs what counts the lines.\n%s",
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), text)
	return nil
}

// logAgents are the columns of the table, by the benchmark's names.
var logAgents = []struct{ name, title string }{
	{"outrigger", "the sidecar"},
	{"rsyslog", "rsyslog"},
	{"rsyslog-disk", "rsyslog, queue on disk"},
	{"tail-nc", "tail -F \\| nc"},
	{"cat", "cat"},
}

// logRows are the table's rows: what is measured, in which benchmark, and under which units. Several units make a cell of as
// many numbers.
var logRows = []struct {
	title, bench string
	units        []string
	decimals     int
}{
	{"lines of 100 B: lines/s", "ship=100B", []string{"lines/s"}, 0},
	{"MB/s", "ship=100B", []string{"MB/s"}, 1},
	{"CPU s per million", "ship=100B", []string{"cpu-s/Mline"}, 2},
	{"lost", "ship=100B", []string{"lost"}, 0},
	{"lines of 1 kB: lines/s", "ship=1kB", []string{"lines/s"}, 0},
	{"MB/s", "ship=1kB", []string{"MB/s"}, 1},
	{"CPU s per million", "ship=1kB", []string{"cpu-s/Mline"}, 2},
	{"lost", "ship=1kB", []string{"lost"}, 0},
	{"idle: resident, anonymous MB", "live", []string{"idle-MB", "idle-anon-MB"}, 1},
	{"% of a core", "live", []string{"idle-cpu-%"}, 2},
	{"1,000 lines/s: resident, anonymous MB", "live", []string{"low-MB", "low-anon-MB"}, 1},
	{"% of a core", "live", []string{"low-cpu-%"}, 1},
	{"ms to arrival: p50, p99", "live", []string{"low-p50-ms", "low-p99-ms"}, 0},
	{"50,000 lines/s: resident, anonymous MB", "live", []string{"high-MB", "high-anon-MB"}, 1},
	{"% of a core", "live", []string{"high-cpu-%"}, 1},
	{"ms to arrival: p50, p99", "live", []string{"high-p50-ms", "high-p99-ms"}, 0},
	{"lost at both rates", "live", []string{"low-lost", "high-lost"}, 0},
}

// logsReport makes a table in Markdown, and the lines that programs read, of what go test -bench prints.
func logsReport(printed string) (string, error) {
	figures := logFigures(printed)
	var out strings.Builder
	out.WriteString("\n|")
	for _, agent := range logAgents {
		fmt.Fprintf(&out, " | %s", agent.title)
	}
	out.WriteString(" |\n|---" + strings.Repeat("|---:", len(logAgents)) + "|\n")
	for _, row := range logRows {
		fmt.Fprintf(&out, "| %s", row.title)
		for _, agent := range logAgents {
			var cell []string
			for _, unit := range row.units {
				if values := figures[row.bench+"/"+agent.name][unit]; len(values) > 0 {
					value := median(values)
					if strings.HasSuffix(unit, "lost") {
						value = slices.Max(values)
					}
					cell = append(cell, strconv.FormatFloat(value, 'f', row.decimals, 64))
				}
			}
			fmt.Fprintf(&out, " | %s", strings.Join(cell, ", "))
		}
		out.WriteString(" |\n")
	}
	peaks := map[string]float64{}
	out.WriteString("| peak of all runs, MB")
	for _, agent := range logAgents {
		cell := ""
		for _, bench := range []string{"ship=100B", "ship=1kB", "live"} {
			for _, value := range figures[bench+"/"+agent.name]["peak-MB"] {
				peaks[agent.name] = max(peaks[agent.name], value)
			}
		}
		if peaks[agent.name] > 0 {
			cell = strconv.FormatFloat(peaks[agent.name], 'f', 1, 64)
		}
		fmt.Fprintf(&out, " | %s", cell)
	}
	out.WriteString(" |\n")

	sidecar, rsyslog, live := figures["ship=100B/outrigger"], figures["ship=100B/rsyslog"], figures["live/outrigger"]
	for _, needed := range [][]float64{sidecar["cpu-s/Mline"], sidecar["lines/s"], rsyslog["cpu-s/Mline"], live["idle-MB"], live["low-p99-ms"]} {
		if len(needed) == 0 {
			return "", fmt.Errorf("the benchmark did not measure everything; it printed:\n%s", printed)
		}
	}
	for _, of := range []map[string][]float64{sidecar, figures["ship=1kB/outrigger"], live} {
		for _, unit := range []string{"lost", "low-lost", "high-lost"} {
			for _, lost := range of[unit] {
				if lost != 0 {
					return "", fmt.Errorf("the sidecar lost lines, or sent some twice:\n%s", out.String())
				}
			}
		}
	}
	fmt.Fprintf(&out, `
  logs/cpu-vs-rsyslog  CPU time for each line of 100 B, over rsyslog's with its queue in memory, and on disk what exceeds that
  logs/lines-per-s     lines of 100 B, from a file that is there already
  logs/idle-memory-mb  resident, of collector and supervisor, %.0f MB of it not from files
  logs/peak-memory-mb  the most in any run
  logs/latency-p99-ms  from a line's being written to its arrival, at 1,000 lines a second

bench: logs/cpu-vs-rsyslog %.2f ratio
bench: logs/lines-per-s %.0f lines/s
bench: logs/idle-memory-mb %.1f MB
bench: logs/peak-memory-mb %.1f MB
bench: logs/latency-p99-ms %.0f ms`, median(live["idle-anon-MB"]), median(sidecar["cpu-s/Mline"])/median(rsyslog["cpu-s/Mline"]),
		median(sidecar["lines/s"]), median(live["idle-MB"]), peaks["outrigger"], median(live["low-p99-ms"]))
	return out.String(), nil
}

var logsLine = regexp.MustCompile(`(?m)^BenchmarkLogs/((?:ship=\w+|live)/[a-z-]+?)(?:/round=\d+)?(?:-\d+)?\s+\d+\s(.*)$`)

// logFigures returns all rounds' figures, by benchmark and agent, and by unit.
func logFigures(printed string) map[string]map[string][]float64 {
	figures := map[string]map[string][]float64{}
	for _, line := range logsLine.FindAllStringSubmatch(printed, -1) {
		if figures[line[1]] == nil {
			figures[line[1]] = map[string][]float64{}
		}
		fields := strings.Fields(line[2])
		for i := 0; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				figures[line[1]][fields[i+1]] = append(figures[line[1]][fields[i+1]], value)
			}
		}
	}
	return figures
}
