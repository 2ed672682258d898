package doorbell

import "time"

const (
	// sourceShare is the part of the callers that the fresh rings of one source may
	// have: 4 of 16. They keep a Temporal on two cores busy; more would only queue
	// inside it, and the calm source's ring would queue behind them there. With 20 ms
	// a call it still is 200 subjects a second that one process begins for a source.
	sourceShare = 4

	// A source that is not alone, and uses all it may, begins with one call at a time,
	// which shows how long one takes, and then has one more after each roomRounds rounds
	// of roundCalls calls: to try costs the others some of their time. It has one less
	// when a round's calls, on average, take crowdedAt times as long as one by one: then
	// they queue in Temporal, which takes as long for one call as for four if it has the
	// time. Only averages are compared, of the source's own calls: some of any Temporal's
	// take twice as long as its quickest, and a start longer than a signal.
	roundCalls = 32
	roomRounds = 4
	crowdedAt  = 1.3
	// besides is how long ago another source's last ring may be for a source not to be
	// alone; remember how long a source knows what a call takes one by one, for Temporal
	// may have become slower or faster since.
	besides  = 5 * time.Second
	remember = time.Minute
	// doorShare is how many times as long as a call took a source rests that makes way for
	// the door. A run that a call begins keeps processors busy for about as long as the
	// call, so that beside short calls the door has eight ninths of them, as it has beside
	// what drains begin.
	doorShare = 8
	// longestRest is how long it rests at most: where Temporal is slow because it is far
	// away, or busy with others, the door gains nothing.
	longestRest = 100 * time.Millisecond
)

// shares are how many fresh rings of each source may be under way.
type shares struct {
	most    int // for any source
	sources map[string]*share
}

// share is one source's.
type share struct {
	limit    int
	since    time.Time // the limit is this
	calling  int
	single   time.Duration // what a call takes one by one
	measured time.Time     // when it did; zero: not known
	took     time.Duration // all the calls of the round
	calls    int           // of the round
	room     int           // rounds since the limit was too much, or was raised
	rung     time.Time
	rests    time.Time // until then, when it makes way
}

func newShares(callers int) shares {
	return shares{most: max(callers/sourceShare, 2), sources: map[string]*share{}}
}

// may tells whether another fresh ring of a source may have its call.
func (s *shares) may(source string) bool {
	of := s.sources[source]
	return of == nil || of.calling < of.limit
}

// rest gives a source no call for a time.
func (s *shares) rest(source string, d time.Duration) {
	s.sources[source].rests = time.Now().Add(d)
}

// rested tells whether no fresh ring of a source is under way, and it need not rest.
func (s *shares) rested(source string) bool {
	of := s.sources[source]
	return of == nil || of.calling == 0 && !time.Now().Before(of.rests)
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

// end notes that a call is over, and how long it took if it was answered. A call that
// fails says nothing about how busy Temporal is, and a source that has fewer than it may
// is not what makes it so.
func (s *shares) end(source string, took time.Duration, answered bool) {
	of := s.sources[source]
	full := of.calling >= of.limit
	of.calling--
	if !answered || !full || time.Since(of.since) < took { // begun under another limit
		return
	}
	of.took += took
	if of.calls++; of.calls >= roundCalls {
		mean := of.took / roundCalls
		of.took, of.calls = 0, 0
		if limit := s.limit(source, of, mean); limit != of.limit {
			of.limit, of.since = limit, time.Now()
		}
	}
}

// limit is what a source may have after a round.
func (s *shares) limit(source string, of *share, mean time.Duration) int {
	of.room++
	switch {
	case s.alone(source):
		return s.most
	case of.limit == 1:
		of.single, of.measured = mean, time.Now()
	case time.Since(of.measured) > remember:
		of.room = roomRounds - 1 // the first round of one by one will do
		return 1
	case float64(mean) > crowdedAt*float64(of.single):
		of.room = 0
		return of.limit - 1
	}
	if of.room < roomRounds {
		return of.limit
	}
	of.room = 0
	return min(of.limit+1, s.most)
}

func (s *shares) alone(source string) bool {
	for name, other := range s.sources {
		if name != source && time.Since(other.rung) < besides {
			return false
		}
	}
	return true
}
