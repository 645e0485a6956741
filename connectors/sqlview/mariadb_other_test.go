//go:build !linux

package sqlview_test

import "syscall"

// childAttributes makes the child run as account.
func childAttributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account}
}
