package main

import (
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	atSymlinkNofollow = 0x100
	linkLength        = 4096
)

// lstatAt describes a name in an open folder; a link is described itself.
func lstatAt(folder *os.File, name string) (syscall.Stat_t, error) {
	var stat syscall.Stat_t
	text, err := syscall.BytePtrFromString(name)
	if err != nil {
		return stat, err
	}
	_, _, errno := syscall.Syscall6(sysFstatat, folder.Fd(), uintptr(unsafe.Pointer(text)),
		uintptr(unsafe.Pointer(&stat)), atSymlinkNofollow, 0, 0)
	runtime.KeepAlive(folder)
	if errno != 0 {
		return stat, errno
	}
	return stat, nil
}

// readlinkOf reads the link that an open path is.
func readlinkOf(link *os.File) (string, error) {
	buffer := make([]byte, linkLength)
	empty := []byte{0}
	count, _, errno := syscall.Syscall6(syscall.SYS_READLINKAT, link.Fd(), uintptr(unsafe.Pointer(&empty[0])),
		uintptr(unsafe.Pointer(&buffer[0])), linkLength, 0, 0)
	runtime.KeepAlive(link)
	if errno != 0 {
		return "", errno
	}
	return string(buffer[:count]), nil
}
