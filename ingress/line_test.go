package ingress_test

import (
	"container/list"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/ingress"
)

// The line is compared with the standard library's list, over any order of joining
// and leaving.
func TestTheLineKeepsItsOrder(t *testing.T) {
	t.Parallel()
	const connections = 6
	random := rand.New(rand.NewPCG(1, 2))
	line := ingress.NewLine(connections)
	var want list.List
	places := make([]*list.Element, connections)
	longest := 0
	for range 20_000 {
		n := random.IntN(connections)
		if random.IntN(2) == 0 {
			line.Join(n)
			if places[n] != nil {
				want.Remove(places[n])
			}
			places[n] = want.PushBack(n)
		} else {
			line.Leave(n)
			if places[n] != nil {
				want.Remove(places[n])
				places[n] = nil
			}
		}
		var expected []int
		for e := want.Front(); e != nil; e = e.Next() {
			expected = append(expected, e.Value.(int))
		}
		longest = max(longest, len(expected))
		require.Equal(t, expected, line.Forwards())
		require.Equal(t, expected, line.Backwards())
	}
	require.Equal(t, connections, longest)
}
