package ingress

// line is the connections that keep us waiting, the one that we wait for longest
// first. Each request leaves it and joins it again twice, so the links are in the
// connections themselves. Its owner's lock protects it.
type line struct{ first, last *connection }

// link is a connection's place in the line.
type link struct {
	in            bool
	before, after *connection
}

// join puts a connection at the end, wherever it was before.
func (l *line) join(c *connection) {
	l.leave(c)
	c.link = link{in: true, before: l.last}
	if l.last == nil {
		l.first = c
	} else {
		l.last.after = c
	}
	l.last = c
}

// leave takes a connection out, if it is in.
func (l *line) leave(c *connection) {
	if !c.in {
		return
	}
	if c.before == nil {
		l.first = c.after
	} else {
		c.before.after = c.after
	}
	if c.after == nil {
		l.last = c.before
	} else {
		c.after.before = c.before
	}
	c.link = link{}
}
