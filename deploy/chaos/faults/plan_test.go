package faults_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/chaos/faults"
)

func chance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 3)) }

func TestASeedPlansTheSameFaultsAgain(t *testing.T) {
	t.Parallel()
	long, short := faults.Long(chance(7), 30), faults.Short(chance(7))
	require.Equal(t, long, faults.Long(chance(7), 30))
	require.Equal(t, short, faults.Short(chance(7)))
	require.NotEqual(t, long, faults.Long(chance(8), 30))
}

func TestFiveFaultsAreOfEverySort(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		sorts := map[faults.Kind]int{}
		killed := map[string]bool{}
		for _, p := range faults.Long(chance(seed), 5) {
			switch p.Kind {
			case faults.Cut, faults.Refuse, faults.Slow:
				sorts["link"]++
			case faults.Full, faults.Deploy:
				sorts["other"]++
			case faults.Kill:
				killed[p.Role] = true
				sorts[p.Kind]++
			default:
				sorts[p.Kind]++
			}
		}
		require.Equal(t, map[faults.Kind]int{faults.Kill: 2, faults.Freeze: 1, "link": 1, "other": 1}, sorts)
		require.Len(t, killed, 2, "two different ones")
	}
}

func TestAnHourHasEveryFault(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, p := range faults.Long(chance(1), 90) {
		seen[fmt.Sprint(p.Kind, " ", p.Role, " ", p.Peer)] = true
	}
	require.Len(t, seen, 4+4+3*6+2, "kills, freezes, links, quota and deployment")
}

func TestAShortRunHitsEveryKindOfProcess(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		roles := map[string]faults.Kind{}
		for _, p := range faults.Short(chance(seed)) {
			roles[p.Role] = p.Kind
		}
		require.Equal(t, map[string]faults.Kind{
			"ingress": faults.Freeze, "worker": faults.Kill, "temporal": faults.Kill, "postgres": faults.Kill,
		}, roles)
	}
}

func TestAFaultFitsIntoItsSpan(t *testing.T) {
	t.Parallel()
	for seed := range uint64(50) {
		for _, p := range faults.Long(chance(seed), 20) {
			require.Less(t, p.Quiet+p.Hold, faults.LongTimes.Every)
		}
		for _, p := range faults.Short(chance(seed)) {
			require.Less(t, p.Quiet+p.Hold, faults.ShortTimes.Every)
		}
	}
}
