package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/holdfast-project/holdfast/ingress"
	"github.com/holdfast-project/holdfast/ingress/operator"
	"github.com/holdfast-project/holdfast/providers"
	"github.com/holdfast-project/holdfast/providers/samples"
)

// everyProvider is a source of each dialect, named with a prefix, and senders for
// them whose secrets are the dialect's throw-away ones.
func everyProvider(prefix string, secret func() string) (settings map[string]string, options map[string]samples.Options) {
	settings, options = map[string]string{}, map[string]samples.Options{}
	var names []string
	for _, d := range providers.Dialects() {
		source := prefix + d.Name
		names = append(names, source+"="+d.Name)
		private := samples.ThrowAway(d.Name, secret)
		for name, value := range private {
			settings[ingress.SourceEnv(source)+"_"+name] = value
		}
		options[d.Name] = samples.Fill(d.Name, samples.Options{At: time.Now()}, func(name string) string { return private[name] })
	}
	settings["HOLDFAST_SOURCES"] = strings.Join(names, ",")
	return settings, options
}

// together sends the same delivery several times at once.
func (s *sender) together(t *testing.T, sample samples.Sample, copies int) []ingress.ReceiptJSON {
	t.Helper()
	answers := make([][]ingress.ReceiptJSON, copies)
	var work errgroup.Group
	for i := range copies {
		work.Go(func() (err error) {
			answers[i], err = s.insist(t.Context(), sample)
			return err
		})
	}
	require.NoError(t, work.Wait())
	var all []ingress.ReceiptJSON
	for _, one := range answers {
		require.Len(t, one, 1)
		all = append(all, one...)
	}
	return all
}

// requireOneEvent checks that receipts are of one event, of which so many were new.
func requireOneEvent(t *testing.T, receipts []ingress.ReceiptJSON, fresh int) {
	t.Helper()
	for _, r := range receipts {
		require.Equal(t, receipts[0].EventID, r.EventID)
		require.Equal(t, receipts[0].Sequence, r.Sequence)
		require.Equal(t, receipts[0].Subject, r.Subject)
		if !r.Duplicate {
			fresh--
		}
	}
	require.Zero(t, fresh, "new events: %v", receipts)
}

func TestE2EDuplicates(t *testing.T) {
	t.Parallel()
	for _, mode := range apart {
		t.Run(string(mode), func(t *testing.T) {
			t.Parallel()
			destination := newRecorder(t, nil)
			settings, options := everyProvider("twice"+string(mode), func() string { return testSecret })
			settings["HOLDFAST_ROUTES"] = "*=" + destination.url
			d := startDaemon(t, in(mode, settings))
			for _, dialect := range providers.Dialects() {
				t.Run(dialect.Name, func(t *testing.T) { // one after the other: the destination changes its rule
					s := newSender(t, d, "twice"+string(mode)+dialect.Name)
					of := func(n int) samples.Sample {
						o := options[dialect.Name]
						o.N = n
						sample, err := samples.Make(dialect.Name, o)
						require.NoError(t, err)
						return sample
					}
					first := s.together(t, of(0), 8)
					requireOneEvent(t, first, 1)
					subject := first[0].Subject
					d.settled(t)

					late := s.together(t, of(0), 3)
					requireOneEvent(t, late, 0)
					require.Equal(t, first[0].EventID, late[0].EventID)
					require.Equal(t, []string{first[0].EventID}, destination.done(subject))

					destination.obey(func(delivery) answer { return answer{status: http.StatusForbidden} })
					held := s.together(t, of(1), 1)
					until(t, "the hold", func() bool { return d.subject(t, subject).Held })
					requireOneEvent(t, append(held, s.together(t, of(1), 8)...), 1)
					require.Equal(t, 1, d.subject(t, subject).Pending)

					destination.obey(nil)
					require.NoError(t, d.operator(t).post(t.Context(), operator.PathSubjectResume, values("id", subject), operator.VerbRequest{}, &operator.SubjectJSON{}))
					// A third event behind them tells that nothing else is still to come.
					last := s.together(t, of(2), 1)
					d.settled(t)
					require.Equal(t, []string{first[0].EventID, held[0].EventID, last[0].EventID}, destination.done(subject))
					require.Len(t, d.events(t, "source", s.source), 3)
				})
			}
		})
	}
}
