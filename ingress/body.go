package ingress

import (
	"errors"
	"io"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// firstBuffer is what a request may take before it has sent anything. Buffers
	// then double as bytes arrive, so that a sender that promises much and sends
	// nothing takes nothing from the others.
	firstBuffer = 4 << 10

	// smallBody is what nearly all bodies are smaller than.
	smallBody = 1 << 20

	// A body may take defaultPatience and then a second for each bodyRate bytes: a
	// 40 MB body has almost three minutes, a trickle ten seconds.
	defaultPatience = 10 * time.Second
	bodyRate        = 256 << 10

	// creditedBytes are progress enough to count as one that has just come.
	creditedBytes = 64 << 10

	// defaultStall is how long a body may stand still, whatever a fast beginning
	// has earned: else a few stalled senders would hold the memory for minutes.
	defaultStall = 5 * time.Second
)

// budget is the memory that all bodies together may hold. A part of it is for
// small bodies, so that a few large ones, of which nothing is proven yet, do not
// keep out the many.
type budget struct {
	free     atomic.Int64
	forSmall int64
}

// newBudget leaves a quarter to small bodies, or less if the largest body would
// not fit beside it.
func newBudget(total, largest int64) *budget {
	b := &budget{forSmall: min(total/4, total-largest)}
	b.free.Store(total)
	return b
}

// take takes n bytes for a body that will then have size. It never waits:
// waiting requests would hold what they have and so could block each other.
func (b *budget) take(n, size int64) bool {
	leave := int64(0)
	if size > smallBody {
		leave = b.forSmall
	}
	for {
		free := b.free.Load()
		if free < n+leave {
			return false
		}
		if b.free.CompareAndSwap(free, free-n) {
			return true
		}
	}
}

// body is a request's body and its share of the budget.
type body struct {
	bytes  []byte
	budget *budget
	taken  int64
	once   sync.Once
}

// release gives the share back. The bytes must not be used after it.
func (b *body) release() { b.once.Do(func() { b.budget.free.Add(b.taken) }) }

// grow makes room for more bytes, up to ceiling.
func (b *body) grow(ceiling int64) bool {
	size := min(max(2*int64(cap(b.bytes)), firstBuffer), ceiling)
	if !b.budget.take(size-b.taken, size) {
		return false
	}
	b.taken = size
	larger := make([]byte, len(b.bytes), size)
	copy(larger, b.bytes)
	b.bytes = larger
	return true
}

// readBody reads a request's body: at most limit bytes, not too slowly, and no
// more than the budget allows. Whatever it returns must be released.
func (d *Door) readBody(control *http.ResponseController, r *http.Request, limit int64) (*body, error) {
	read := &body{budget: d.bodies}
	ceiling := limit
	if r.ContentLength >= 0 {
		ceiling = r.ContentLength
	}
	if ceiling > limit {
		return read, errTooLarge
	}
	if r.ContentLength == 0 || r.Body == nil {
		return read, nil
	}
	pace := pace{connection: connectionOf(r.Context()), control: control, start: time.Now(), patience: d.patience, stall: d.stall}
	pace.begin()
	defer pace.connection.works()
	for {
		if len(read.bytes) == cap(read.bytes) {
			if int64(len(read.bytes)) == ceiling {
				return read, atEnd(r.Body)
			}
			if !read.grow(ceiling) {
				return read, errFull
			}
		}
		n, err := r.Body.Read(read.bytes[len(read.bytes):cap(read.bytes)])
		read.bytes = read.bytes[:len(read.bytes)+n]
		if errors.Is(err, io.EOF) {
			pace.connection.deafen()
			return read, nil
		}
		if err != nil {
			return read, readError(err)
		}
		pace.extend(len(read.bytes))
	}
}

// atEnd returns nil if a body that has reached its limit has no byte more.
func atEnd(rest io.Reader) error {
	var probe [1]byte
	_, err := io.ReadFull(rest, probe[:])
	switch {
	case err == nil:
		return errTooLarge
	case errors.Is(err, io.EOF):
		return nil
	default:
		return readError(err)
	}
}

// readError drops the cause's text: it may quote what was sent.
func readError(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return errSlow
	}
	return errBroken
}

// pace is the connection's read deadline, which moves as bytes arrive, and its
// place among those that keep us waiting.
type pace struct {
	connection *connection
	control    *http.ResponseController
	start      time.Time
	patience   time.Duration
	stall      time.Duration
	set        int // bytes read when the deadline was set
	setAt      time.Time
	credited   int // bytes read when the connection last moved to the end of those that wait
}

func (p *pace) begin() {
	p.connection.waits()
	p.move(0, p.start)
}

func (p *pace) extend(read int) {
	// A system call each quarter second's worth, or when a tenth of the stall's time
	// is gone: a stall is thus found up to a tenth early, never late.
	if now := time.Now(); read-p.set >= bodyRate/4 || now.Sub(p.setAt) >= p.stall/10 {
		p.move(read, now)
	}
	if read-p.credited >= creditedBytes { // less is a trickle, and stays where it is
		p.credited = read
		p.connection.waits()
	}
}

func (p *pace) move(read int, now time.Time) {
	p.set, p.setAt = read, now
	allowed := p.patience + time.Duration(read)*time.Second/bodyRate
	deadline := p.start.Add(allowed)
	if stalled := now.Add(p.stall); stalled.Before(deadline) {
		deadline = stalled
	}
	// A writer without deadlines is a test's; the server's own limits hold anyway.
	_ = p.control.SetReadDeadline(deadline)
}
