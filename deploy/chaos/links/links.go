// Package links leads the connections between the members of a fleet through
// proxies, so that they can be cut, refused and slowed. Everything is on loopback.
package links

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"github.com/holdfast-project/holdfast/deploy/fleet"
)

// Links are the links of a fleet. The methods are safe for concurrent use.
type Links struct {
	server *toxiproxy.ApiServer // which never listens: proxies want one

	mu  sync.Mutex
	all []*Link
}

// Link is from one member to another.
type Link struct {
	From, To string

	server *toxiproxy.ApiServer
	mu     sync.Mutex
	proxy  *toxiproxy.Proxy
}

// New makes no links yet.
func New() *Links {
	// Some of the library's parts log through a logger of their own.
	zerolog.SetGlobalLevel(zerolog.Disabled)
	return &Links{server: toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())}
}

// Through makes a link to an address and returns where to connect to instead.
func (l *Links) Through(from, to, address string) (string, error) {
	port, err := fleet.FreePort(context.Background())
	if err != nil {
		return "", err
	}
	link := &Link{From: from, To: to, server: l.server}
	link.proxy = toxiproxy.NewProxy(l.server, from+" "+to, fmt.Sprintf("127.0.0.1:%d", port), address)
	if err := link.proxy.Start(); err != nil {
		return "", fmt.Errorf("listen for the link from %s to %s: %w", from, to, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, link)
	return link.proxy.Listen, nil
}

// Find returns the links from a member, or from every member whose name begins
// with from and a hyphen, to another.
func (l *Links) Find(from, to string) []*Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []*Link
	for _, link := range l.all {
		if link.To == to && (link.From == from || strings.HasPrefix(link.From, from+"-")) {
			found = append(found, link)
		}
	}
	return found
}

// Close ends all links.
func (l *Links) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, link := range l.all {
		link.proxy.Stop()
	}
}

// Cut lets nothing through and tells nobody: what is sent is never answered.
func (l *Link) Cut() error { return l.toxic("timeout", `"timeout":0`) }

// Slow delays what is sent, and limits how much of it passes.
func (l *Link) Slow(latency, jitter time.Duration, kilobytes int) error {
	return errors.Join(
		l.toxic("latency", fmt.Sprintf(`"latency":%d,"jitter":%d`, latency.Milliseconds(), jitter.Milliseconds())),
		l.toxic("bandwidth", fmt.Sprintf(`"rate":%d`, kilobytes)))
}

// Refuse ends all connections and accepts no others.
func (l *Link) Refuse() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proxy.Stop()
	return nil
}

// toxic adds a disturbance in both directions.
func (l *Link) toxic(kind, attributes string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, direction := range []string{"upstream", "downstream"} {
		_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(
			fmt.Sprintf(`{"type":%q,"stream":%q,"attributes":{%s}}`, kind, direction, attributes)))
		if err != nil {
			return fmt.Errorf("disturb the link from %s to %s: %w", l.From, l.To, err)
		}
	}
	return nil
}

// healPatience is how long a proxy may take to let go of what disturbs it.
const healPatience = 5 * time.Second

// Heal undoes all of it. Connections through a cut link end.
func (l *Link) Heal() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.proxy.Enabled {
		cleaned := make(chan struct{})
		go func() {
			defer close(cleaned)
			l.proxy.Toxics.ResetToxics(context.Background())
		}()
		select {
		case <-cleaned:
			return nil
		case <-time.After(healPatience):
		}
	}
	// One that was closed, or that waits for a peer who reads nothing, is replaced.
	listen, upstream, name := l.proxy.Listen, l.proxy.Upstream, l.proxy.Name
	l.proxy.Stop()
	l.proxy = toxiproxy.NewProxy(l.server, name, listen, upstream)
	if err := l.proxy.Start(); err != nil {
		return fmt.Errorf("mend the link from %s to %s: %w", l.From, l.To, err)
	}
	return nil
}
