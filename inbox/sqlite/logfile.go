package sqlite

import (
	"encoding/binary"
	"errors"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/util/vfsutil"
	"github.com/ncruces/go-sqlite3/vfs"
)

// logFile is the writer's handle on the write-ahead log. SQLite writes each page of a
// commit with two calls, one for the 24 bytes of the frame's header and one for the
// page; the file gathers them and makes one call of a commit.
//
// What it holds back is not in the file while the driver believes it is, and others
// read the log through handles of their own as soon as the log's index tells them of a
// commit. So it holds nothing but what nobody can be told of yet:
//
//   - It gathers only between beginCommit and endCommit. SQLite has the log's lock then
//     until all of the commit is written, or has failed; and what a full page cache writes
//     earlier in a transaction goes straight to the file, as it may be taken back.
//   - A transaction's last frame says so in its header. With that frame's page all of
//     it is written, before SQLite syncs the file or writes the index, and whether it
//     syncs or not.
//   - Anything but the next bytes of the log, and any look at the file, writes first
//     what is held.
//
// What is held when a commit ends is of one that failed. It is dropped: written later,
// it could be written over a commit of somebody else's.
type logFile struct {
	vfs.File

	committing bool
	held       []byte
	end        int64 // of the last write
	middle     bool  // the last write was the header of a frame that is not a transaction's last
}

const (
	// frameHeader is the length of what is before each page in the log: its number,
	// then the database's size after the commit if the frame is a transaction's
	// last, else 0, then salts and checksums. A page has 512 bytes and more.
	frameHeader = 24
	sizeInFrame = 4

	// heldBytes bounds what is held: 63 of SQLite's default pages. More saves few calls, and
	// what is gathered should still be in the processor's cache when it is copied again.
	heldBytes = 256 << 10
)

// beginCommit lets the file gather what SQLite writes, until endCommit.
func (f *logFile) beginCommit() { f.committing = true }

func (f *logFile) endCommit() { f.committing, f.held = false, f.held[:0] }

// WriteAt writes to the file, at once or with what comes next.
func (f *logFile) WriteAt(p []byte, offset int64) (int, error) {
	if !f.committing || offset != f.end {
		return f.write(p, offset)
	}
	if len(f.held)+len(p) > heldBytes {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	if f.held == nil {
		f.held = make([]byte, 0, heldBytes)
	}
	f.held = append(f.held, p...)
	f.end += int64(len(p))
	if f.goesOn(p) {
		return len(p), nil
	}
	if err := f.flush(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// goesOn tells whether more of the transaction follows what is written, for sure.
func (f *logFile) goesOn(p []byte) bool {
	if len(p) == frameHeader {
		f.middle = binary.BigEndian.Uint32(p[sizeInFrame:]) == 0
		return true // its page does
	}
	middle := f.middle
	f.middle = false
	return middle
}

// write is for what may be anything: a page of an older frame, a header with another
// checksum, or the first frame after one that was not written here.
func (f *logFile) write(p []byte, offset int64) (int, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	f.middle = false
	f.end = offset + int64(len(p))
	return f.File.WriteAt(p, offset)
}

// flush writes what is held. If that fails it is as if the last call had failed:
// the commit does.
func (f *logFile) flush() error {
	if len(f.held) == 0 {
		return nil
	}
	start := f.end - int64(len(f.held))
	_, err := f.File.WriteAt(f.held, start)
	f.held = f.held[:0]
	return err
}

// ReadAt is asked for a page that a full cache has written, after all else that was.
func (f *logFile) ReadAt(p []byte, offset int64) (int, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.ReadAt(p, offset)
}

// Sync makes the log durable, with what is held.
func (f *logFile) Sync(flags vfs.SyncFlag) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Sync(flags)
}

// Size counts what is held.
func (f *logFile) Size() (int64, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	return f.File.Size()
}

// Truncate may cut what is held.
func (f *logFile) Truncate(size int64) error {
	if err := f.flush(); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

// logVFS opens files as the driver does, and the log as a logFile. A logFile has none of
// the optional interfaces of the driver's files: SQLite asks the log for none. Where a
// database is opened so that commits are padded to a sector's end (`psow=0`), each frame
// of the padding is a last one, and is written by itself.
type logVFS struct{ vfs.VFS }

const logVFSName = "holdfast-log"

func (v logVFS) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	file, flags, err := vfsutil.WrapOpenFilename(v.VFS, name, flags)
	if err == nil && flags&vfs.OPEN_WAL != 0 {
		file = &logFile{File: file}
	}
	return file, flags, err
}

// logOf returns the log of a connection that has begun a transaction.
func logOf(c *sqlite3.Conn) (*logFile, error) {
	file, err := c.FileControl("", sqlite3.FCNTL_JOURNAL_POINTER)
	if err != nil {
		return nil, err
	}
	log, ok := file.(*logFile)
	if !ok {
		return nil, errors.New("its log is not a file of " + logVFSName)
	}
	return log, nil
}
