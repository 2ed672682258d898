package faults

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

const noLimit = ^uint64(0)

// limitFileSize limits how large a process may make a file. Only the soft limit
// changes, which can be taken back. One that has ended meanwhile is no error.
//
// A process may limit others of its own user only, unless it has a right that root
// lacks in many a container: so prlimit of util-linux runs as that user.
func limitFileSize(ctx context.Context, pid int, bytes uint64) error {
	proc := "/proc/" + strconv.Itoa(pid)
	info, err := os.Stat(proc)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t)
	limit := "unlimited"
	if bytes != noLimit {
		limit = strconv.FormatUint(bytes, 10)
	}
	cmd := exec.CommandContext(ctx, "prlimit", "--pid", strconv.Itoa(pid), "--fsize="+limit+":") //nolint:gosec // numbers
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	if _, gone := os.Stat(proc); errors.Is(gone, fs.ErrNotExist) {
		return nil
	}
	return fmt.Errorf("limit the files of process %d: %w: %s", pid, err, strings.TrimSpace(string(output)))
}
