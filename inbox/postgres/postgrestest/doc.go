// Package postgrestest runs a throw-away PostgreSQL from the binaries that are
// installed here, for tests and for trying things out. It needs no container and
// no server that somebody set up, listens on loopback only, and trusts everybody
// there.
//
// A test asks for a database and gets a fresh one, on a server that all tests of
// its binary share:
//
//	func TestMain(m *testing.M) { postgrestest.Main(m) }
//
//	func TestInbox(t *testing.T) { url := postgrestest.Database(t) ... }
//
// Whoever wants to crash, freeze or restart a server starts one of its own with
// [Start]. A server never outlives the process that started it, however that ends.
package postgrestest
