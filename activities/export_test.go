package activities

// Crowd opens what is otherwise only seen as waits of drains, with a clock of the
// test's own.
type Crowd = crowd

// The crowd's exported methods.
var (
	Book   = (*crowd).book
	Served = (*crowd).served
)
