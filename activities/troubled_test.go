package activities_test

import (
	"context"
	"sync/atomic"

	"github.com/holdfast-project/holdfast/inbox"
)

// troubled is an inbox with trouble of its own, put before a call reaches it or
// before its answer is heard.
type troubled struct {
	inbox.Inbox
	afterClaim   func()
	beforeNext   func(limit int) error
	beforeSettle func() error
	beforeFail   func() error
	afterFail    func() error
}

func (s *troubled) Claim(ctx context.Context, c inbox.Claim) (inbox.Claimed, error) {
	claimed, err := s.Inbox.Claim(ctx, c)
	if s.afterClaim != nil {
		s.afterClaim()
	}
	return claimed, err
}

func (s *troubled) Next(ctx context.Context, subject string, limit, maxBytes int) ([]inbox.Entry, error) {
	if s.beforeNext != nil {
		if err := s.beforeNext(limit); err != nil {
			return nil, err
		}
	}
	return s.Inbox.Next(ctx, subject, limit, maxBytes)
}

func (s *troubled) Settle(ctx context.Context, settlement inbox.Settlement) (inbox.Settled, error) {
	if s.beforeSettle != nil {
		if err := s.beforeSettle(); err != nil {
			return inbox.Settled{}, err
		}
	}
	return s.Inbox.Settle(ctx, settlement)
}

func (s *troubled) Fail(ctx context.Context, f inbox.Failure) (inbox.Subject, error) {
	if s.beforeFail != nil {
		if err := s.beforeFail(); err != nil {
			return inbox.Subject{}, err
		}
	}
	subject, err := s.Inbox.Fail(ctx, f)
	if err == nil && s.afterFail != nil {
		if err := s.afterFail(); err != nil {
			return inbox.Subject{}, err
		}
	}
	return subject, err
}

// nth returns an error at the nth call only.
func nth(n int64, err error) func() error {
	var calls atomic.Int64
	return func() error {
		if calls.Add(1) == n {
			return err
		}
		return nil
	}
}
