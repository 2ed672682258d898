package doorbell

import "time"

const (
	// sourceShare is the part of the callers that the fresh rings of one source may
	// have: 4 of 16. They keep a Temporal on two cores busy; more would only queue
	// inside it, and the calm source's ring would queue behind them there. With 20 ms
	// a call it still is 200 subjects a second that one process begins for a source.
	sourceShare = 4

	// A source that is not alone has less when its calls, on average, take crowdedAt
	// times what a call takes at best: then they queue in Temporal already. It has more
	// again when they take less than roomAt times as much for a while. A Temporal that
	// has the time takes as long for one call as for four.
	crowdedAt = 1.9
	roomAt    = 1.5
	// besides is how long ago another source's last ring may be for a source not to be
	// alone; bestTime how long the best time is remembered at least; settleCalls how many
	// calls show what a change of the share has changed, and roomRounds times as many
	// that there is room: to try costs the others some of their time.
	besides     = 5 * time.Second
	bestTime    = 30 * time.Second
	settleCalls = 8
	roomRounds  = 16
)

// shares are how many fresh rings of each source may be under way.
type shares struct {
	most    int // for any source
	sources map[string]*share
	// best is the least time of a call since turned, and bestBefore that of the time
	// before; zero: there was none.
	best, bestBefore time.Duration
	turned           time.Time
}

// share is one source's.
type share struct {
	limit   int
	calling int
	mean    time.Duration // of the last calls, the newer the more
	calls   int           // since the limit was last considered
	room    int           // how often in a row there was room for more
	rung    time.Time
}

func newShares(callers int) shares {
	return shares{most: max(callers/sourceShare, 2), sources: map[string]*share{}, turned: time.Now()}
}

// may tells whether another fresh ring of a source may have its call.
func (s *shares) may(source string) bool {
	of := s.sources[source]
	return of == nil || of.calling < of.limit
}

func (s *shares) begin(source string) {
	of := s.sources[source]
	if of == nil {
		of = &share{limit: s.most}
		s.sources[source] = of
	}
	of.calling++
	of.rung = time.Now()
}

// end notes that a call is over, and how long it took if it was answered.
func (s *shares) end(source string, took time.Duration, answered bool) {
	of := s.sources[source]
	of.calling--
	if !answered {
		return // that says nothing about how busy Temporal is
	}
	s.note(took)
	if of.mean == 0 {
		of.mean = took
	}
	of.mean += (took - of.mean) / settleCalls
	if of.calls++; of.calls >= settleCalls {
		of.calls = 0
		of.limit = s.limit(source, of)
	}
}

// limit is what a source may have from now on.
func (s *shares) limit(source string, of *share) int {
	mean, best := float64(of.mean), float64(s.least())
	if of.room++; mean >= roomAt*best {
		of.room = 0
	}
	switch {
	case s.alone(source):
		return s.most
	case mean > crowdedAt*best:
		return max(of.limit-1, 1)
	case of.room >= roomRounds:
		of.room = 0
		return min(of.limit+1, s.most)
	default:
		return of.limit
	}
}

func (s *shares) alone(source string) bool {
	for name, other := range s.sources {
		if name != source && time.Since(other.rung) < besides {
			return false
		}
	}
	return true
}

func (s *shares) note(took time.Duration) {
	if time.Since(s.turned) > bestTime {
		s.bestBefore, s.best, s.turned = s.best, 0, time.Now()
	}
	if s.best == 0 || took < s.best {
		s.best = took
	}
}

func (s *shares) least() time.Duration {
	if s.bestBefore > 0 {
		return min(s.best, s.bestBefore)
	}
	return s.best
}
