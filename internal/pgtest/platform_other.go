//go:build unix && !linux

package pgtest

import "syscall"

// childAttributes makes the child run as account. Only Linux can bind its life
// to ours: elsewhere a killed test binary leaves its server behind.
func childAttributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account}
}

// memoryFolder is empty: there is no file system in memory at a known place.
func memoryFolder() string { return "" }
