// Package postgres is the fleet's inbox: one PostgreSQL database, version 13 or
// newer, that any number of ingresses and workers share. Its connections must be
// sessions of its own: directly, or through a pooler in session mode. Of several
// addresses in the URL it uses the primary's, and finds it again when another server
// has become it.
//
// # How it writes
//
// An append is one statement that commits by itself, a call of the function
// append_2 with a batch of deliveries: what gathers while one batch is under way
// shares the next one's wait for the disk. Whoever sent it can die or freeze at any
// moment without keeping a lock. Inside, the subjects' rows are locked in the order
// of their IDs, sequences are taken under those locks, so that sequence order is
// commit order in each subject, and keys are written in order: a first copy that
// another ingress has not committed is waited for, whatever its subject. If a lock
// is not to be had, the batch goes on without the deliveries that need it; they wait
// without a connection until their senders' time is over.
//
// The claims and settlements of many subjects share one such statement too, a call of
// the function drain_2, as long as they are what they mostly are: a claim of a subject
// that is neither held nor in another hand, a settlement by the owner. It does then what
// package row says, and a claim's answer brings the subject's first event. What it finds otherwise it leaves, and that goes, with failures,
// into transactions of two round trips: lock and read, then write and commit, with the
// rules of package row in between. Both pass over rows that are locked; whoever was
// passed over goes alone and waits its turn. A process that freezes between two round
// trips loses its locks after two seconds, and its commit then fails. Operators' verbs
// and replays have transactions of their own.
//
// What runs for each event is a function's: a session plans a function's statements
// once. Planned each time, as other statements are, they cost several times as much as
// they do. The calls themselves are prepared by name; where a pooler or a DISCARD ALL
// took the name away, they go without.
//
// Locks are taken in one order everywhere: subjects by ID, then keys; Prune and the
// sweeper wait for none. A deadlock or a lock that takes too long is tried again as
// long as the caller's context allows. After any error of a connection nobody knows
// what was committed: a sender comes again and meets its key, a drain claims anew.
//
// Reads never wait for writers. Texts that PostgreSQL cannot store are kept in an
// escaped form, and come back byte for byte. Bodies from 1 KiB are compressed with
// zstd if that makes them smaller: the recorded requests of our senders then take 48
// percent of 1 KiB and 31 of 4 KiB, for 40 microseconds each; of 256 bytes they
// would take 72 percent, for nearly the same time.
//
// # Migrations
//
// A change to the schema is one more file in migrations, never an edit of one that
// was released. Any number of processes may migrate at once; everything is done in
// one transaction, or nothing. Old and new processes run side by side while a fleet
// is upgraded, so a migration only adds (expand); what the old ones need is taken
// away a release later (contract), in a file whose first line says which version a
// holdfast must know from then on ("-- needs: 4"). A function that changes is a new
// function with the next number in its name.
//
// # What it costs
//
// Pages touched (shared buffers, hit or read) and milliseconds of EXPLAIN (ANALYZE,
// BUFFERS), the best of three, PostgreSQL 15 with 64 MB of shared buffers on two busy
// cores; 3,000 events are pending for 1,000 subjects, besides the settled ones.
// TestPlansStayFlat makes these figures and bounds the pages; with
// HOLDFAST_POSTGRES_ROWS=10000000 it makes as many rows.
//
//	                          none settled     10,000,000 settled, 1,000,000 subjects
//	append of one event      32   0.35 ms        42   0.30 ms
//	  of a new subject       44   0.34 ms        49   0.29 ms
//	  a duplicate            32   0.27 ms        36   0.36 ms
//	next, up to 64 events    18   0.07 ms        35   0.06 ms
//	settle: lock the row      4   0.01 ms         5   0.01 ms
//	  is it pending           3   0.01 ms         4   0.01 ms
//	  the next pending ones   7   0.02 ms         9   0.02 ms
//	unrung, 50              805   0.50 ms       961   0.55 ms
//	rung, 50                805   0.40 ms       955   0.46 ms
//	  nobody waits            2   0.02 ms         2   0.02 ms
//	still rung, of 500       39   0.16 ms     1,621   1.28 ms (by ID; it scans a small table)
//	prune, 500 events                        39,536  32    ms
//	  nothing to prune        4   0.15 ms         4   0.12 ms
//	events of a subject       8   0.06 ms        68   0.06 ms (of 10 more events)
//	  the newest 100         46   0.26 ms       503   0.15 ms (their subjects, too)
//	  parked, the newest      2   0.02 ms       504   0.26 ms
//	  all pending ones    9,386   5.15 ms    18,140   9.17 ms
//	count                    44   0.30 ms        45   0.26 ms
//
// Count reads the row of each subject that is not idle: with a million pending ones
// 50,000 pages and 0.4 seconds. Above 10,000 subjects an answer therefore stands for
// twenty times as long as it took.
package postgres
