package ingress_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/ingress"
)

// attack is a row of the tables of bad input: what is sent, how it is answered,
// and what is in the inbox afterwards.
type attack struct {
	name     string
	send     string
	statuses []int          // of all answers on the connection; none: it is just closed
	stored   []inbox.Status // of the events that it makes, by its receipts
}

// TestBadInput throws everything at one door, which must answer it all, remember
// what it should and nothing else, and be as it was afterwards. The tables are in
// the files beside it.
func TestBadInput(t *testing.T) {
	t.Parallel()
	o := newOutpost(t)
	genuine := 0
	for _, table := range []struct {
		name string
		rows []attack
	}{
		{"Framing", framingAttacks(t, o)},
		{"Smuggling", smugglingAttacks(t, o)},
		{"Paths", pathAttacks(t, o)},
		{"Headers", headerAttacks(t, o)},
		{"Queries", queryAttacks(t, o)},
		{"Encodings", encodingAttacks(t, o)},
		{"Bodies", bodyAttacks(t, o)},
		{"Subjects", subjectAttacks(t, o)},
	} {
		t.Run(table.name, func(t *testing.T) {
			require.NotEmpty(t, table.rows)
			t.Logf("%d rows", len(table.rows))
			answers := o.throwAll(t, table.rows)
			stored := o.stored(t)
			for i, row := range table.rows {
				t.Run(row.name, func(t *testing.T) {
					require.Equal(t, row.statuses, answers[i].statuses, "%s", answers[i].bodies)
					var statuses []inbox.Status
					for _, receipt := range answers[i].receipts() {
						event := stored[receipt.Sequence]
						require.Equal(t, receipt.Subject, event.Subject)
						requireSound(t, event)
						statuses = append(statuses, event.Status)
					}
					require.Equal(t, row.stored, statuses)
					genuine += len(statuses)
				})
			}
			require.Len(t, stored, genuine, "nothing is stored that has no receipt")
		})
	}
	after := o.calm(t)
	t.Logf("peak memory %d MiB, resident %d MiB", after.Peak>>20, after.Resident>>20)
	require.Less(t, after.Peak, memoryBound, "three times what bodies may hold")
}

// answers are all that came back on one connection.
type answers struct {
	statuses []int
	bodies   [][]byte
}

// receipts are those of events that are not duplicates.
func (a answers) receipts() []ingress.ReceiptJSON {
	var list []ingress.ReceiptJSON
	for _, body := range a.bodies {
		var accepted ingress.AcceptedJSON
		_ = json.Unmarshal(body, &accepted) // a refusal or a challenge is none
		for _, receipt := range accepted.Accepted {
			if !receipt.Duplicate {
				list = append(list, receipt)
			}
		}
	}
	return list
}

// throwAll throws the rows of a table, a few at a time, which is quicker on
// disks that are slow to sync.
func (o *outpost) throwAll(t *testing.T, rows []attack) []answers {
	t.Helper()
	const abreast = 16
	all := make([]answers, len(rows))
	var throwing sync.WaitGroup
	for worker := range abreast {
		throwing.Go(func() {
			for i := worker; i < len(rows); i += abreast {
				all[i].statuses, all[i].bodies = o.throw(t, rows[i].send)
			}
		})
	}
	throwing.Wait()
	return all
}
