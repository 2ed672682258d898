//go:build !linux

package fleet

import "syscall"

// Only Linux can tie a process to its parent: elsewhere a fleet whose parent is
// killed goes on.
func groupLeader() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
