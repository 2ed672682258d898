package main

import (
	"fmt"
	"math"
	"slices"
)

// leastRounds is from where on all of them being slower is no accident: one in 64.
const leastRounds = 6

// comparison is what the rounds say of a benchmark. Both sides of a round ran one
// right after the other, so whatever else the machine did it did to both: it is the
// rounds' ratios that count.
type comparison struct {
	before, now float64 // medians, in ns
	change      float64 // the median of the ratios, less 1
	worse       int     // rounds in which the work tree was slower
	rounds      int
}

func compare(before, now []float64) comparison {
	c := comparison{before: median(before), now: median(now), rounds: len(now)}
	var ratios []float64
	for i := range now {
		ratio := now[i] / before[i]
		ratios = append(ratios, ratio)
		if ratio > 1 {
			c.worse++
		}
	}
	c.change = median(ratios) - 1
	return c
}

// slower tells whether it is a regression: by so many per cent, and in so many
// rounds that chance has no part in it.
func (c comparison) slower(percent float64) bool {
	return c.change >= percent/100 && c.accident() < 0.01
}

// accident is how likely it is that as many rounds are slower when nothing is: the
// sign test.
func (c comparison) accident() float64 {
	p := 0.0
	for k := c.worse; k <= c.rounds; k++ {
		p += choose(c.rounds, k)
	}
	return p / math.Pow(2, float64(c.rounds))
}

func choose(n, k int) float64 {
	c := 1.0
	for i := range k {
		c = c * float64(n-i) / float64(i+1)
	}
	return c
}

func (c comparison) String() string {
	return fmt.Sprintf("%10.0f ns  %10.0f ns  %+6.1f %%  slower in %d of %d", c.before, c.now, 100*c.change, c.worse, c.rounds)
}

func median(of []float64) float64 {
	sorted := slices.Sorted(slices.Values(of))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
