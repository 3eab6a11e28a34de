package localpg

import (
	"runtime"
	"syscall"
)

// endWithParent lets the kernel end the server, in haste, when the thread that started it ends.
func endWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGQUIT }

// lockThread keeps the goroutine on its thread, and the thread alive, for the server's life: any other
// thread may be ended by the runtime, and the kernel would then end the server.
func lockThread() { runtime.LockOSThread() }
