package pgtest

import "syscall"

// childAttributes makes the child run as account and die with us, even when
// we are killed and run no cleanup.
func childAttributes(account *syscall.Credential) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Credential: account, Pdeathsig: syscall.SIGQUIT}
}

// memoryFolder is a file system in memory, or empty when there is none with
// room for a server: a container often has one of 64 MB. Copying a database
// makes some three hundred files, which is where a disk loses the time.
func memoryFolder() string {
	const folder, room = "/dev/shm", 2 << 30
	var stat syscall.Statfs_t
	if err := syscall.Statfs(folder, &stat); err != nil {
		return ""
	}
	if stat.Bavail*uint64(stat.Bsize) < room {
		return ""
	}
	return folder
}
