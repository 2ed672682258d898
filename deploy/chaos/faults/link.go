package faults

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holdfast-project/holdfast/bench/verdict"
	"github.com/holdfast-project/holdfast/deploy/chaos/links"
)

const (
	// A slow link is one to another continent, over a telephone line.
	slowLatency   = 150 * time.Millisecond
	slowJitter    = 100 * time.Millisecond
	slowKilobytes = 64
)

// link disturbs one process's link to a peer, or those of all processes of a role.
func (s *Site) link(p Planned) (verdict.Fault, action, error) {
	from := p.Role
	if !p.Every && p.Peer != "destination" && (p.Role == "ingress" || p.Role == "worker") {
		m, err := s.member(p)
		if err != nil {
			return verdict.Fault{}, action{}, err
		}
		from = m.Name()
	}
	found := s.Links.Find(from, p.Peer)
	if len(found) == 0 {
		return verdict.Fault{}, action{}, fmt.Errorf("there is no link from %s to %s", from, p.Peer)
	}
	f := verdict.Fault{Name: fmt.Sprintf("%s %s to %s", p.Kind, from, p.Peer)}
	switch {
	case p.Role == "temporal", p.Role == "worker" && from == p.Role:
		f.AllWorkers = true
	case p.Role == "worker":
		f.Worker = from
	}
	return f, action{
		begin: func(context.Context) (string, error) { return "", each(found, p.disturb) },
		end:   func(context.Context) error { return each(found, (*links.Link).Heal) },
	}, nil
}

func (p Planned) disturb(l *links.Link) error {
	switch p.Kind {
	case Cut:
		return l.Cut()
	case Refuse:
		return l.Refuse()
	default:
		return l.Slow(slowLatency, slowJitter, slowKilobytes)
	}
}

func each(all []*links.Link, do func(*links.Link) error) error {
	var problems []error
	for _, l := range all {
		problems = append(problems, do(l))
	}
	return errors.Join(problems...)
}
