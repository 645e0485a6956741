//go:build unix

package main

import "syscall"

// diskFree gives what is free for us on the disk that a path is on, and its size.
func diskFree(path string) (free, total uint64, err error) {
	var found syscall.Statfs_t
	if err := syscall.Statfs(path, &found); err != nil {
		return 0, 0, err
	}
	block := uint64(found.Bsize)
	return uint64(found.Bavail) * block, uint64(found.Blocks) * block, nil
}
