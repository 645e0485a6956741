package sqlview_test

import "syscall"

// childAttributes makes the child run as account and die with us, even when we
// are killed and run no cleanup.
func childAttributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account, Pdeathsig: syscall.SIGTERM}
}
