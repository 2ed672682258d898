// Package sqlite is the embedded inbox: one SQLite database on a local disk,
// opened by one process. It needs no server, and a backup is one file
// (sqlite3 inbox.db ".backup copy.db" works while it is open).
//
// # How it writes
//
// One goroutine makes every change. What waits for it when it begins shares one
// transaction and so one fsync (write-ahead log, synchronous FULL); callers are
// answered after the commit. Each operation decides whether it refuses before it
// changes anything, so a refusal disturbs nobody; a statement that fails takes
// the transaction back, and each operation gets one of its own. Nothing is known
// after an error of the disk but this: no part of a delivery is stored without
// the rest, and the store works again when the disk does.
//
// Appends are refused with inbox.ErrOverloaded when too many wait, for a sender
// comes again; everything else waits for its context. Reads have connections of
// their own and never wait for the writer.
//
// A change to the schema is one more file in migrations, never an edit of one.
//
// # Why modernc.org/sqlite
//
// Measured with this schema on two cores and an SSD: events of 1 KB, 200
// subjects, WAL with synchronous FULL, prepared statements through database/sql,
// batches of 1, 8 and 64 operations to a commit. Medians of three runs, in
// operations a second and as the ratio to modernc.org/sqlite v1.51.0:
//
//	              modernc 1.51.0    mattn 1.14.53 (cgo)    ncruces 0.30.5 (wasm)
//	append, 1     2,832   1.00      2,852   1.01           2,469   0.87
//	append, 8     8,286   1.00     12,583   1.52           7,768   0.94
//	append, 64   12,698   1.00     17,393   1.37          11,008   0.87
//	settle, 1     2,758   1.00      3,195   1.16           2,864   1.04
//	settle, 8     7,537   1.00     10,391   1.38           8,530   1.13
//	settle, 64   10,986   1.00     12,520   1.14          14,183   1.29
//	read pending 145,951  1.00    213,941   1.47         154,312   1.06
//
// The runs of one driver differ by up to four times where the fsync dominates
// (another process was using the disk), so differences below a half mean little.
// The cgo driver is at best half as fast again, and needs a C compiler on every
// newcomer's machine and gives up the static binary: not a clear win. The wasm
// driver is no faster overall. (Its v0.36.0, which translates SQLite to Go as
// modernc does, could not be measured: a module it needs was not available.)
package sqlite
