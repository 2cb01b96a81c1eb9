package main

import (
	"context"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

const (
	renderRuns = 5 // how often each size is measured; the median counts
	renders    = 10
)

// benchRender measures what rendering a pod costs, by its number of sidecars.
func benchRender(ctx context.Context, r *rig.Rig) error {
	r.Reporter.Plan(1)
	var printed string
	if err := r.Reporter.Step(ctx, "Render, again and again", func(ctx context.Context, s *progress.Step) (err error) {
		printed, err = proc.Run(ctx, proc.Cmd{
			Args: []string{"go", "test", "./tests/bench", "-run", "^$", "-bench", "^Benchmark(Render|Whole|Schema)$",
				"-benchtime", fmt.Sprintf("%dx", renders), "-count", strconv.Itoa(renderRuns), "-timeout", "10m"},
			Dir: r.Root, Log: s.Log(),
		})
		return err
	}); err != nil {
		return err
	}
	text, err := renderReport(printed)
	if err != nil {
		return err
	}
	r.Reporter.Say(`
Measured on this machine (%d cores, %s/%s, %s): Helm's engine alone, library's checks included, without loading the
chart and without the schema; time of the rendering thread on a processor, median of %d runs of %d renders.
%s`, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), renderRuns, renders, text)
	return nil
}

// renderCost is what one render of a pod takes.
type renderCost struct{ cpuMs, wallMs, kB, allocs float64 }

// renderReport makes a table, and the lines that programs read, of what go test -bench prints.
func renderReport(printed string) (string, error) {
	costs, err := renderCosts(printed)
	if err != nil {
		return "", err
	}
	for _, name := range []string{"Schema", "Whole/create", "Whole/library", "Whole/plain", "Whole/manifest"} {
		if costs[name].cpuMs == 0 {
			return "", fmt.Errorf("the benchmark did not measure %s", name)
		}
	}
	ours := func(sidecars int) renderCost { return costs[fmt.Sprintf("Render/outrigger/sidecars=%d", sidecars)] }
	byHand := func(sidecars int) renderCost { return costs[fmt.Sprintf("Render/by-hand/sidecars=%d", sidecars)] }
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "\nsidecars\tms\telapsed ms\tkB\tallocations\tby hand, ms\tkB\tallocations\tratio of ms\t\n")
	for _, n := range []int{0, 1, 3, 10, 30, 100} {
		o, h := ours(n), byHand(n)
		if o.cpuMs == 0 || h.cpuMs == 0 {
			return "", fmt.Errorf("the benchmark did not measure %d sidecars", n)
		}
		fmt.Fprintf(w, "%d\t%.2f\t%.2f\t%.0f\t%.0f\t%.2f\t%.0f\t%.0f\t%.1f\t\n",
			n, o.cpuMs, o.wallMs, o.kB, o.allocs, h.cpuMs, h.kB, h.allocs, o.cpuMs/h.cpuMs)
	}
	w.Flush()
	few, many := slope(ours, 3, 30), slope(ours, 30, 100)
	fmt.Fprintf(&out, `
A whole helm template of helm create: %.2f ms, with the library %.2f; with %d more Deployments %.2f, with each in outrigger.manifest %.2f.

  render/base-ms         what the library adds to a whole helm template of helm create, its schema included
  render/schema-ms       of that, what its schema is, compiled and applied to its values
  render/manifest-ms     what outrigger.manifest adds for each file
  render/per-sidecar-ms  what each sidecar adds, from 3 to 30 (from 30 to 100: %.3f; by hand: %.3f and %.3f)
  render/slope-ratio     what each adds from 30 to 100, over what each adds from 3 to 30: 1 if the cost is linear

bench: render/base-ms %.2f ms
bench: render/schema-ms %.2f ms
bench: render/manifest-ms %.2f ms
bench: render/per-sidecar-ms %.3f ms
bench: render/slope-ratio %.2f ratio`, costs["Whole/create"].cpuMs, costs["Whole/library"].cpuMs, manifestFiles, costs["Whole/plain"].cpuMs, costs["Whole/manifest"].cpuMs,
		many, slope(byHand, 3, 30), slope(byHand, 30, 100), costs["Whole/library"].cpuMs-costs["Whole/create"].cpuMs, costs["Schema"].cpuMs,
		(costs["Whole/manifest"].cpuMs-costs["Whole/plain"].cpuMs)/manifestFiles, few, many/few)
	return out.String(), nil
}

// slope is what each sidecar adds between two sizes, in ms.
func slope(costs func(sidecars int) renderCost, from, to int) float64 {
	return (costs(to).cpuMs - costs(from).cpuMs) / float64(to-from)
}

// manifestFiles is how many files of the chart are in outrigger.manifest, as tests/bench has them.
const manifestFiles = 10

var benchLine = regexp.MustCompile(`(?m)^Benchmark(\S+?)(?:-\d+)?\s+\d+\s(.*)$`)

// renderCosts returns the medians of what each benchmark costs, by its name.
func renderCosts(printed string) (map[string]renderCost, error) {
	figures := map[string]map[string][]float64{}
	for _, line := range benchLine.FindAllStringSubmatch(printed, -1) {
		name := line[1]
		if figures[name] == nil {
			figures[name] = map[string][]float64{}
		}
		fields := strings.Fields(line[2])
		for i := 0; i+1 < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return nil, err
			}
			figures[name][fields[i+1]] = append(figures[name][fields[i+1]], value)
		}
	}
	costs := map[string]renderCost{}
	for name, by := range figures {
		costs[name] = renderCost{
			cpuMs: median(by["cpu-ns/op"]) / 1e6, wallMs: median(by["ns/op"]) / 1e6,
			kB: median(by["B/op"]) / 1e3, allocs: median(by["allocs/op"]),
		}
	}
	return costs, nil
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
