// Package sqlite is the embedded inbox: one SQLite database on a local disk,
// opened by one process. It needs no server, and a backup is one file
// (sqlite3 inbox.db ".backup copy.db" works while it is open).
//
// # How it writes
//
// One goroutine makes every change. What waits for it when it begins shares one
// transaction and so one fsync (write-ahead log, synchronous FULL); callers are
// answered after the commit. After a batch of a crowd it lets the next one gather for
// a moment (gathering). Each operation decides whether it refuses before it
// changes anything, so a refusal disturbs nobody; a statement that fails takes
// the transaction back, and each operation gets one of its own. Nothing is known
// after an error of the disk but this: no part of a delivery is stored without
// the rest, and the store works again when the disk does.
//
// A commit reaches the log with one system call, and not with two for each of
// its 30 to 100 pages (logFile).
//
// Appends are refused with inbox.ErrOverloaded when too many wait, for a sender
// comes again; everything else waits for its context. Reads have connections of
// their own and never wait for the writer.
//
// A change to the schema is one more file in migrations, never an edit of one that was
// released. It does not read all events, for the door is shut meanwhile.
//
// # Why ncruces/go-sqlite3
//
// Measured with this schema on two quiet cores and an SSD: events of 1 KB, 200
// subjects, WAL with synchronous FULL, prepared statements through database/sql,
// batches of 1, 8 and 64 operations to a commit. Medians of three runs, in
// operations a second and as the ratio to ncruces/go-sqlite3 v0.36.0:
//
//	              ncruces 0.36.0      modernc 1.51.0     mattn 1.14.53 (cgo)
//	append, 1       5,178   1.00      5,091   0.98        5,466   1.06
//	append, 8      17,374   1.00     15,797   0.91       20,895   1.20
//	append, 64     22,661   1.00     20,191   0.89       27,936   1.23
//	settle, 1       5,681   1.00      5,003   0.88        5,571   0.98
//	settle, 8      20,801   1.00     12,519   0.60       18,616   0.89
//	settle, 64     36,790   1.00     16,568   0.45       31,872   0.87
//	read pending  379,383   1.00    274,515   0.72      384,118   1.01
//
// In the whole of Holdfast, 10,000 events over 200 subjects, modernc
// delivers 12 % less and uses 13 % more processor time for an event. The cgo driver
// appends a fifth faster, settles slower, and takes a C compiler on every newcomer's
// machine and the static binary for it: not a clear win. ncruces translates SQLite's
// Wasm build to Go ahead of time, so nothing is compiled or interpreted at run time.
//
// The store uses the driver's own connections, not database/sql's (those of the
// table): boxed arguments and results were nine allocations in ten and a fifth to
// half of the processor time of an append, a settle and a read.
package sqlite
