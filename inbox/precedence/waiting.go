package precedence

// Waiting is how many events wait for the door's crowd.
func (d *Door) Waiting() int {
	if d == nil {
		return 0
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.waiting
}
