package main

import (
	"errors"
	"fmt"
	"syscall"
)

var errnoNames = map[syscall.Errno]string{
	syscall.EPERM: "EPERM", syscall.EACCES: "EACCES", syscall.ENOENT: "ENOENT", syscall.EOPNOTSUPP: "EOPNOTSUPP",
	syscall.EINVAL: "EINVAL", syscall.ESRCH: "ESRCH", syscall.ENOSYS: "ENOSYS", syscall.EAGAIN: "EAGAIN",
	syscall.EPROTONOSUPPORT: "EPROTONOSUPPORT", syscall.EAFNOSUPPORT: "EAFNOSUPPORT",
}

// errnoName is the kernel's word for an error.
func errnoName(err error) string {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		return "error"
	}
	if name := errnoNames[errno]; name != "" {
		return name
	}
	return fmt.Sprintf("E%d", int(errno))
}
