//go:build !linux

package localpg

import "syscall"

// endWithParent: there is no such signal here; the next start ends what an earlier run left.
func endWithParent(*syscall.SysProcAttr) {}

func lockThread() {}
