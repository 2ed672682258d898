package faults

import (
	"math/rand/v2"
	"time"
)

// Kind is what is done.
type Kind string

// The kinds of faults.
const (
	Kill   Kind = "kill"   // kill -9; of PostgreSQL, an immediate stop
	Freeze Kind = "freeze" // SIGSTOP
	Cut    Kind = "cut"    // a link lets nothing through and says nothing
	Refuse Kind = "refuse" // a link's connections end and it takes no others
	Slow   Kind = "slow"   // a link has latency, jitter and little bandwidth
	Full   Kind = "full"   // the disk quota of the inbox
	Deploy Kind = "deploy" // a new worker version
)

// Planned is a fault that is to come.
type Planned struct {
	Kind Kind
	// Role is whose: ingress, worker, temporal or postgres. Peer is the other end of a link.
	Role, Peer string
	// Pick chooses one of several processes of the role; Every takes them all, for a link.
	Pick  int
	Every bool
	Quiet time.Duration // before it
	Hold  time.Duration // how long it lasts, if it does not end by itself
}

// Times are those of a run.
type Times struct {
	Every  time.Duration // one fault begins in each of these spans
	Freeze time.Duration
	Link   time.Duration
	Full   time.Duration
}

// LongTimes are those of a run of minutes and hours; ShortTimes those of one that
// everybody's check waits for.
var (
	LongTimes  = Times{Every: time.Minute, Freeze: 30 * time.Second, Link: 20 * time.Second, Full: 15 * time.Second}
	ShortTimes = Times{Every: 20 * time.Second, Freeze: 8 * time.Second, Link: 8 * time.Second, Full: 8 * time.Second}
)

// Long plans a number of faults. Of each five, two kill, one freezes, one disturbs a
// link, and one is of the others; every role, link and kind comes before one of them
// comes again.
func Long(r *rand.Rand, n int) []Planned {
	kills, freezes, links := deck(r, kills()), deck(r, freezes()), deck(r, disturbances())
	others := deck(r, []Planned{{Kind: Full}, {Kind: Deploy}})
	var plan []Planned
	for len(plan) < n {
		five := []Planned{kills(), freezes(), links(), kills(), others()}
		r.Shuffle(len(five), func(i, j int) { five[i], five[j] = five[j], five[i] })
		plan = append(plan, five...)
	}
	return timed(r, plan[:n], LongTimes)
}

// Short plans four faults, one for each kind of process. One is a freeze of an
// ingress, because what holds for a killed one does not hold for a frozen one.
func Short(r *rand.Rand) []Planned {
	plan := []Planned{{Kind: Kill, Role: "worker"}, {Kind: Kill, Role: "temporal"}, {Kind: Kill, Role: "postgres"}, {Kind: Freeze, Role: "ingress"}}
	r.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return timed(r, plan, ShortTimes)
}

// deck deals from a shuffled list, and shuffles it again when it is used up.
func deck(r *rand.Rand, all []Planned) func() Planned {
	next := len(all)
	return func() Planned {
		if next == len(all) {
			r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			next = 0
		}
		next++
		return all[next-1]
	}
}

func kills() (all []Planned) {
	for _, role := range []string{"ingress", "worker", "temporal", "postgres"} {
		all = append(all, Planned{Kind: Kill, Role: role})
	}
	return all
}

func freezes() (all []Planned) {
	for _, p := range kills() {
		p.Kind = Freeze
		all = append(all, p)
	}
	return all
}

func disturbances() (all []Planned) {
	for _, kind := range []Kind{Cut, Refuse, Slow} {
		for _, link := range [][2]string{
			{"ingress", "postgres"},
			{"worker", "postgres"},
			{"ingress", "temporal"},
			{"worker", "temporal"},
			{"temporal", "postgres"},
			{"worker", "destination"},
		} {
			all = append(all, Planned{Kind: kind, Role: link[0], Peer: link[1]})
		}
	}
	return all
}

// timed chooses when each begins, how long it lasts, and whom it hits.
func timed(r *rand.Rand, plan []Planned, times Times) []Planned {
	for i := range plan {
		p := &plan[i]
		p.Pick, p.Every = r.IntN(1000), r.IntN(2) == 0
		switch p.Kind {
		case Kill:
			p.Hold = time.Second + time.Duration(r.Int64N(int64(2*time.Second)))
		case Freeze:
			p.Hold = times.Freeze
		case Cut, Refuse, Slow:
			p.Hold = times.Link
		case Full:
			p.Hold = times.Full
		}
		if room := times.Every/2 - p.Hold/2; room > 0 {
			p.Quiet = time.Duration(r.Int64N(int64(room)))
		}
	}
	return plan
}
