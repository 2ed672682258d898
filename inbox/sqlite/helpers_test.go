package sqlite_test

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox"
	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func newStore(tb testing.TB, options sqlite.Options) *sqlite.Store {
	tb.Helper()
	return open(tb, filepath.Join(tb.TempDir(), "inbox.db"), options)
}

func deliveryOf(subject, key string, body []byte) inbox.Delivery {
	return inbox.Delivery{ContentType: "application/json", Body: body, Events: []inbox.NewEvent{{
		EventID: "id-" + key, Source: "redo", Provider: "redo", Subject: subject, SubjectName: subject,
		Type: "return.updated", Key: key, ReceivedAt: start,
	}}}
}

func appendOne(ctx context.Context, store inbox.Accepter, subject, key string, body []byte) (inbox.Receipt, error) {
	receipts, err := store.Append(ctx, deliveryOf(subject, key, body))
	if err != nil {
		return inbox.Receipt{}, err
	}
	return receipts[0], nil
}

func claim(ctx context.Context, store inbox.Drainer, subject string) (int64, error) {
	claimed, err := store.Claim(ctx, inbox.Claim{Subject: subject, Now: start, BusyUntil: start.Add(time.Minute)})
	return claimed.Subject.Epoch, err
}

func settle(ctx context.Context, store inbox.Drainer, subject string, epoch, sequence int64) error {
	_, err := store.Settle(ctx, inbox.Settlement{
		Subject: subject, Epoch: epoch, Sequence: sequence, Status: inbox.StatusDelivered, Handler: "log",
		Attempts: 1, Now: start, RunID: "run", OriginalRunID: "run",
	})
	return err
}

// freeze keeps the writer busy until the returned function is called.
func freeze(t *testing.T, store *sqlite.Store) (thaw func()) {
	t.Helper()
	frozen, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- store.Write(context.Background(), func(func(string, ...any) error) error {
			close(frozen)
			<-release
			return nil
		})
	}()
	<-frozen
	return func() {
		close(release)
		require.NoError(t, <-done)
	}
}

// waitQueued returns when so many operations wait for the writer.
func waitQueued(store *sqlite.Store, n int) {
	for store.Stats().Queued != n {
		runtime.Gosched()
	}
}

func keyOf(i int) string { return fmt.Sprintf("k%d", i) }
