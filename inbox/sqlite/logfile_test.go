package sqlite_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"

	"github.com/ncruces/go-sqlite3/vfs"
	"github.com/stretchr/testify/require"

	"github.com/holdfast-project/holdfast/inbox/sqlite"
)

// memoryFile is what is in a file, and how often it was written to.
type memoryFile struct {
	vfs.File
	data   []byte
	writes int
	full   bool
}

func (f *memoryFile) WriteAt(p []byte, offset int64) (int, error) {
	f.writes++
	if f.full {
		return 0, syscall.ENOSPC
	}
	if more := int(offset) + len(p) - len(f.data); more > 0 {
		f.data = append(f.data, make([]byte, more)...)
	}
	return copy(f.data[offset:], p), nil
}

func (f *memoryFile) ReadAt(p []byte, offset int64) (int, error) {
	return bytes.NewReader(f.data).ReadAt(p, offset)
}

func (f *memoryFile) Truncate(size int64) error {
	f.data = f.data[:min(int(size), len(f.data))]
	return nil
}

func (f *memoryFile) Size() (int64, error)    { return int64(len(f.data)), nil }
func (f *memoryFile) Sync(vfs.SyncFlag) error { return nil }

const header = 24

// frame is a page as it is in the log. A commit's last one has the database's size.
func frame(random *rand.Rand, page, size int) []byte {
	f := bytes.Repeat(binary.BigEndian.AppendUint64(nil, random.Uint64()), (header+page)/8)
	binary.BigEndian.PutUint32(f[4:], uint32(size))
	return f
}

// logs are the writer's log and a file that is given the same calls.
type logs struct {
	log         sqlite.LogFile
	file, model *memoryFile
	page        int
	end         int // of the log
}

func newLogs(page int) *logs {
	file := &memoryFile{}
	return &logs{log: sqlite.NewLogFile(file), file: file, model: &memoryFile{}, page: page}
}

func (l *logs) write(t *testing.T, p []byte, at int) {
	t.Helper()
	p = slices.Clone(p)
	n, err := l.log.WriteAt(p, int64(at))
	require.NoError(t, err)
	require.Equal(t, len(p), n)
	_, _ = l.model.WriteAt(p, int64(at))
	clear(p) // SQLite uses its memory again
	l.end = max(l.end, at+len(p))
}

func (l *logs) append(t *testing.T, frame []byte) {
	t.Helper()
	start := l.end
	l.write(t, frame[:header], start)
	l.write(t, frame[header:], start+header)
}

func (l *logs) equal(t *testing.T, why string) {
	t.Helper()
	require.True(t, bytes.Equal(l.model.data, l.file.data), why)
}

func TestALogIsAsIfEachCallHadReachedTheFile(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 0))
		l := newLogs([]int{512, 4096, 65536}[random.IntN(3)])
		for range 40 {
			l.transact(t, random)
		}
	}
}

// transact does what SQLite does, with any look at the file at any time.
func (l *logs) transact(t *testing.T, random *rand.Rand) {
	t.Helper()
	if random.IntN(8) == 0 { // it begins the log anew
		l.end = 0
	}
	spilled := l.end
	for range random.IntN(3) { // a full cache
		l.append(t, frame(random, l.page, 0))
		l.equal(t, "nothing is held before a commit")
	}
	if random.IntN(6) == 0 { // rolled back
		l.end = spilled
		return
	}
	l.log.BeginCommit()
	if l.end == 0 {
		l.write(t, make([]byte, 32), 0)
	}
	for range random.IntN(4) * random.IntN(5) {
		switch random.IntN(8) {
		case 0:
			l.look(t, random)
		case 1:
			if spilled < l.end { // one of the pages that the cache has written changes again
				l.write(t, frame(random, l.page, 0)[header:], spilled+header)
			}
		default:
			l.append(t, frame(random, l.page, 0))
		}
	}
	if random.IntN(6) == 0 { // it fails
		if random.IntN(2) == 0 {
			l.write(t, frame(random, 0, 0), l.end)
		}
		l.log.EndCommit()
		l.model.data = slices.Clone(l.file.data)
		l.end = spilled
		return
	}
	last := l.end
	l.append(t, frame(random, l.page, 1+random.IntN(1<<20)))
	l.equal(t, "all of a commit is in the file before the index tells of it")
	if random.IntN(4) == 0 { // the sums of what was changed
		for _, at := range []int{spilled, last} {
			l.write(t, frame(random, 0, at-spilled), at)
		}
		l.equal(t, "a new header has no page that follows")
	}
	l.log.EndCommit()
	l.equal(t, "at the end of a commit")
}

func (l *logs) look(t *testing.T, random *rand.Rand) {
	t.Helper()
	switch random.IntN(4) {
	case 0:
		require.NoError(t, l.log.Sync(0))
	case 1:
		size, err := l.log.Size()
		require.NoError(t, err)
		require.Len(t, l.model.data, int(size))
	case 2:
		require.NoError(t, l.log.Truncate(int64(l.end)))
		require.NoError(t, l.model.Truncate(int64(l.end)))
	case 3:
		got, want := make([]byte, l.end), make([]byte, l.end)
		_, err := l.log.ReadAt(got, 0)
		if err != nil {
			require.ErrorIs(t, err, io.EOF)
		}
		_, _ = l.model.ReadAt(want, 0)
		require.True(t, bytes.Equal(want, got), "it reads what was written")
	}
	l.equal(t, "after a look at the file")
}

func TestACommitIsOneCallUnlessItIsLarge(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 1))
	for frames, want := range map[int]int{1: 1, 2: 1, 63: 1, 64: 2, 630: 10} {
		l := newLogs(4096)
		l.write(t, make([]byte, 32), 0)
		l.file.writes = 0
		l.log.BeginCommit()
		for range frames - 1 {
			l.append(t, frame(random, l.page, 0))
			require.GreaterOrEqual(t, len(l.file.data), l.end-sqlite.HeldBytes, "what is held is bounded")
		}
		l.append(t, frame(random, l.page, 9))
		l.log.EndCommit()
		require.Equal(t, want, l.file.writes, "calls for %d frames", frames)
		l.equal(t, "they are the log")
	}
}

func TestAWriteThatFailsIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(2, 2))
	file := &memoryFile{}
	log := sqlite.NewLogFile(file)
	log.BeginCommit()
	last := frame(random, 4096, 1)
	_, err := log.WriteAt(last[:header], 0)
	require.NoError(t, err)
	file.full = true
	_, err = log.WriteAt(last[header:], header)
	require.ErrorIs(t, err, syscall.ENOSPC, "the commit's last write tells")
	file.full = false
	_, err = log.ReadAt(make([]byte, 1), 0) // SQLite rolls back
	require.ErrorIs(t, err, io.EOF)
	require.NoError(t, log.Sync(0))
	log.EndCommit()
	require.Equal(t, 1, file.writes)
}
