package links_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/deploy/chaos/links"
)

// echo is a server that says back what it hears.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = io.Copy(conn, conn)
			}()
		}
	}()
	return l.Addr().String()
}

// setup makes one link, from worker-1 to the echo.
func setup(t *testing.T) (link *links.Link, address string) {
	t.Helper()
	all := links.New()
	t.Cleanup(all.Close)
	address, err := all.Through("worker-1", "echo", echo(t))
	require.NoError(t, err)
	found := all.Find("worker", "echo")
	require.Len(t, found, 1)
	return found[0], address
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// say sends a line and returns what comes back until patience is over.
func say(t *testing.T, conn net.Conn, patience time.Duration) (string, error) {
	t.Helper()
	require.NoError(t, conn.SetDeadline(time.Now().Add(patience)))
	if _, err := io.WriteString(conn, "hello\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

const long = time.Minute

func requireEcho(t *testing.T, address string) {
	t.Helper()
	heard, err := say(t, dial(t, address), long)
	require.NoError(t, err)
	require.Equal(t, "hello\n", heard)
}

func TestALinkPassesOnWhatIsSaid(t *testing.T) {
	t.Parallel()
	_, address := setup(t)
	requireEcho(t, address)
}

func TestACutLinkSaysNothingAndIsMended(t *testing.T) {
	t.Parallel()
	link, address := setup(t)
	conn := dial(t, address)
	_, err := say(t, conn, long)
	require.NoError(t, err)
	require.NoError(t, link.Cut())
	_, err = say(t, conn, 100*time.Millisecond)
	var timeout net.Error
	require.ErrorAs(t, err, &timeout, "it neither answers nor ends")
	require.True(t, timeout.Timeout())
	require.NoError(t, link.Heal())
	_, err = say(t, conn, long)
	require.Error(t, err, "what was sent meanwhile is missing in the old connection: it ends")
	require.False(t, errors.As(err, &timeout) && timeout.Timeout(), "at once")
	requireEcho(t, address)
}

func TestALinkThatRefusesIsMended(t *testing.T) {
	t.Parallel()
	link, address := setup(t)
	conn := dial(t, address)
	_, err := say(t, conn, long)
	require.NoError(t, err)
	require.NoError(t, link.Refuse())
	_, err = say(t, conn, long)
	require.Error(t, err)
	_, err = net.Dial("tcp", address)
	require.ErrorContains(t, err, "refused")
	require.NoError(t, link.Heal())
	requireEcho(t, address)
}

func TestASlowLinkIsSlowAndKeepsItsConnections(t *testing.T) {
	t.Parallel()
	link, address := setup(t)
	conn := dial(t, address)
	require.NoError(t, link.Slow(200*time.Millisecond, 0, 64))
	begun := time.Now()
	_, err := say(t, conn, long)
	require.NoError(t, err)
	require.GreaterOrEqual(t, time.Since(begun), 400*time.Millisecond, "there and back")
	require.NoError(t, link.Heal())
	heard, err := say(t, conn, long)
	require.NoError(t, err)
	require.Equal(t, "hello\n", heard)
}

func TestLinksAreFoundByMemberOrByRole(t *testing.T) {
	t.Parallel()
	all := links.New()
	t.Cleanup(all.Close)
	target := echo(t)
	for _, from := range []string{"worker-1", "worker-2", "ingress-1", "temporal"} {
		_, err := all.Through(from, "postgres", target)
		require.NoError(t, err)
	}
	require.Len(t, all.Find("worker", "postgres"), 2)
	require.Len(t, all.Find("worker-2", "postgres"), 1)
	require.Len(t, all.Find("temporal", "postgres"), 1)
	require.Empty(t, all.Find("worker", "temporal"))
	require.Empty(t, all.Find("work", "postgres"))
}
