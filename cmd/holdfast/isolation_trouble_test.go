package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/inbox"
)

// flood appends events over some subjects, so many a second; 0: as fast as it can.
func (i *isolation) flood(ctx context.Context, format string, subjects, events, rate int) {
	kind := "flood"
	if strings.Contains(format, "stuck") {
		kind = "stuck"
	}
	var senders errgroup.Group
	senders.SetLimit(64)
	began := time.Now()
	for n := range events {
		if rate > 0 && !sleep(ctx, time.Until(began.Add(time.Duration(n)*time.Second/time.Duration(rate)))) {
			break
		}
		senders.Go(func() error {
			i.append(ctx, fmt.Sprintf(format, n%subjects), kind)
			return nil
		})
	}
	_ = senders.Wait()
}

// settle waits until every subject has been rung and has asked once: what is
// measured then is a crowd that waits, not its arrival.
func (i *isolation) settle(ctx context.Context) {
	for (i.process.ringer.Waiting() > 0 || i.unasked(ctx)) && sleep(ctx, time.Second) {
	}
}

// unasked tells whether some subject has not had a drain yet.
func (i *isolation) unasked(ctx context.Context) bool {
	for after := ""; ; {
		subjects, err := i.process.inbox.Subjects(ctx, inbox.SubjectFilter{After: after, Limit: 1000})
		if err != nil {
			return false
		}
		for _, s := range subjects {
			if s.Epoch == 0 {
				return true
			}
			after = s.ID
		}
		if len(subjects) == 0 {
			return false
		}
	}
}
