package main

import (
	"context"
	"errors"

	"github.com/holdfast-project/holdfast/bench"
)

// send has a bench send a load to Holdfast and wait for all of it. What is wrong with
// it is the case's problem.
func (s *scale) send(ctx context.Context, r *result, o bench.Options, watch func(bench.Progress)) (*bench.Report, error) {
	b, err := bench.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := b.Probe(ctx); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	report := b.Run(ctx, watch)
	if err := b.Close(); err != nil {
		return nil, err
	}
	r.Problems = append(r.Problems, report.Problems...)
	if report.Repeated > 0 {
		r.Problems = append(r.Problems, "events were repeated")
	}
	return &report, nil
}
