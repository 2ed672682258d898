package fleet

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
)

// Ports are taken from below those that the system gives to outgoing connections
// (32768 and up on Linux): a member that is down for a moment finds its port free.
const (
	lowestPort  = 20000
	highestPort = 32000
)

var given = struct {
	sync.Mutex
	ports map[int]bool
}{ports: map[int]bool{}}

// FreePort returns a port on loopback that nothing listens on, and that it never
// returns again.
func FreePort(ctx context.Context) (int, error) {
	given.Lock()
	defer given.Unlock()
	var config net.ListenConfig
	for range 1000 {
		port := lowestPort + rand.IntN(highestPort-lowestPort)
		if given.ports[port] {
			continue
		}
		l, err := config.Listen(ctx, "tcp", local(port))
		if err != nil {
			continue
		}
		given.ports[port] = true
		return port, l.Close()
	}
	return 0, errors.New("no free port between " + strconv.Itoa(lowestPort) + " and " + strconv.Itoa(highestPort))
}

// local is the address of a port on loopback.
func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
