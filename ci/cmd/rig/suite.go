package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/outrigger-charts/outrigger/ci/cache"
	"github.com/outrigger-charts/outrigger/ci/judge"
	"github.com/outrigger-charts/outrigger/ci/proc"
	"github.com/outrigger-charts/outrigger/ci/progress"
	"github.com/outrigger-charts/outrigger/ci/rig"
)

// suite is a run of phases.
type suite struct {
	rig     *rig.Rig
	chosen  choice
	cluster *rig.Cluster
	folder  string // of what the tests print
	whole   bool   // it is all of `make test`, whose figures are told
	phases  []*phase
	judged  judge.Suite
}

// runPhases runs go vet and the phases, all of them even when one fails, and what failed once more, and ends with a summary.
func (s *suite) runPhases(ctx context.Context, phases ...*phase) error {
	if err := s.choose(phases); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.run(ctx); err != nil {
		return err
	}
	if err := s.runAgain(ctx); err != nil {
		return err
	}
	return s.conclude()
}

// choose leaves out what is not to run, and says so. A phase whose folder has lost its tests is an error.
func (s *suite) choose(phases []*phase) error {
	for _, p := range phases {
		if len(p.tests) == 0 {
			return fmt.Errorf("tests %s: there are none", p.name)
		}
		if s.chosen.run != "" {
			unmatched, err := p.narrow(s.chosen.run)
			if err != nil {
				return err
			}
			if len(unmatched) > 0 {
				s.rig.Reporter.Say("Left out: tests %s, none of which matches.", p.name)
				continue
			}
		}
		s.phases = append(s.phases, p)
	}
	if len(s.phases) == 0 {
		return fmt.Errorf("no test matches %q", s.chosen.run)
	}
	return nil
}

// prepare makes the cluster and whatever else is needed ready, before the first test.
func (s *suite) prepare(ctx context.Context) (err error) {
	r := s.rig
	r.Reporter.Plan(len(s.phases))
	cache.Prune(filepath.Join(r.Cache, "results"), "*-*", 20)
	if s.folder, err = resultsFolder(r); err != nil {
		return err
	}
	var kept []*phase
	for _, p := range s.phases {
		if p.cluster && s.cluster == nil {
			k, err := newKube(ctx, r)
			if err != nil {
				return err
			}
			s.cluster = k.cluster
		}
		if p.restarts && s.cluster.Node == "" {
			r.Reporter.Say("Left out: tests %s. Only a cluster of this machine is restarted, and this one is the caller's.", p.name)
			if s.chosen.strict {
				s.judged.Checks = append(s.judged.Checks, judge.Failure{Test: "tests " + p.name, Reason: "they were left out, as the cluster is the caller's"})
			}
			continue
		}
		kept = append(kept, p)
	}
	s.phases = kept
	for _, p := range s.phases {
		if p.prepare != nil {
			if err := p.prepare(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *suite) run(ctx context.Context) error {
	r := s.rig
	var left *estimate
	if s.chosen.run == "" {
		r.Reporter.Plan(1)
		err := r.Reporter.Step(ctx, "go vet", func(ctx context.Context, step *progress.Step) error {
			for _, module := range modules(r) {
				if _, err := proc.Run(ctx, proc.Cmd{Args: []string{"go", "vet", "./..."}, Dir: module, Log: step.Log()}); err != nil {
					return err
				}
			}
			return nil
		})
		if errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			s.judged.Checks = append(s.judged.Checks, judge.Failure{Test: "go vet", Reason: "it found something", Output: proc.Printed(err)})
		}
		left = newEstimate(filepath.Dir(s.folder), s.phases)
	}
	for _, p := range s.phases {
		if err := p.run(ctx, r, filepath.Join(s.folder, fileName(p.name)+".json"), left); err != nil {
			return err
		}
		s.judged.Phases = append(s.judged.Phases, &p.judged)
	}
	if _, subtests, _ := strings.Cut(s.chosen.run, "/"); subtests != "" && !slices.ContainsFunc(s.phases, (*phase).ranSubtests) {
		s.judged.Checks = append(s.judged.Checks, judge.Failure{Test: s.chosen.run, Reason: "no subtest matches"})
	}
	return left.save()
}

// modules are the folders of the repository's Go modules that are its own work.
func modules(r *rig.Rig) []string {
	folders := []string{r.Root}
	if program := filepath.Join(r.Root, programModule); exists(program) {
		folders = append(folders, program)
	}
	return folders
}

// runAgain runs the tests once more that may have failed by chance, one by one and nothing beside.
func (s *suite) runAgain(ctx context.Context) error {
	for i, second := range s.judged.Again() {
		of := s.phases[slices.IndexFunc(s.phases, func(p *phase) bool { return &p.judged == second.Phase })]
		alone := of.alone(second.Package, second.Test)
		s.rig.Reporter.Plan(1)
		if err := alone.run(ctx, s.rig, filepath.Join(s.folder, fmt.Sprintf("again-%d.json", i+1)), nil); err != nil {
			return err
		}
		second.Result, second.Output = alone.judged.Result, alone.record.Output(second.Package, second.Test)
		s.judged.Seconds = append(s.judged.Seconds, second)
	}
	return nil
}
