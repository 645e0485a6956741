//go:build unix

package main

import "syscall"

// diskFree gives how many bytes may still be written where a path is.
func diskFree(path string) (uint64, error) {
	var fs syscall.Statfs_t
	if err := syscall.Statfs(path, &fs); err != nil {
		return 0, err
	}
	return uint64(fs.Bavail) * uint64(fs.Bsize), nil //nolint:gosec,unconvert // their types differ from system to system
}
