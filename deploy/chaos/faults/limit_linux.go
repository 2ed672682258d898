package faults

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

const noLimit = unix.RLIM_INFINITY

// limitFileSize limits how large a process may make a file. Only the soft limit
// changes, which can be taken back. One that has ended meanwhile is no error.
func limitFileSize(pid int, bytes uint64) error {
	var limit unix.Rlimit
	err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit)
	if err == nil {
		limit.Cur = min(bytes, limit.Max)
		err = unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil)
	}
	if err != nil && !errors.Is(err, unix.ESRCH) {
		return fmt.Errorf("limit the files of process %d: %w", pid, err)
	}
	return nil
}
