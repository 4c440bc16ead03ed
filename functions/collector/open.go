package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"runtime"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

const (
	sysOpenat2        = 437 // on every architecture
	oPath             = 0x200000
	resolveNoXdev     = 0x01
	resolveNoMagic    = 0x02
	resolveNoSymlinks = 0x04
	resolveInRoot     = 0x10
	readFlags         = syscall.O_RDONLY | syscall.O_NONBLOCK | syscall.O_NOCTTY | syscall.O_CLOEXEC
)

var errNotRegular = errors.New("not a regular file")

type openHow struct{ flags, mode, resolve uint64 }

// openat2 opens a path below a folder that no link, also none made while it runs, leads out of.
func openat2(folder *os.File, name string, flags int, resolve uint64) (*os.File, error) {
	text, err := syscall.BytePtrFromString(strings.TrimLeft(name, "/"))
	if *text == 0 || err != nil {
		text, err = syscall.BytePtrFromString(".")
	}
	if err != nil {
		return nil, err
	}
	how := openHow{flags: uint64(flags | syscall.O_CLOEXEC), resolve: resolve | resolveInRoot | resolveNoMagic}
	for {
		fd, _, errno := syscall.Syscall6(sysOpenat2, folder.Fd(), uintptr(unsafe.Pointer(text)),
			uintptr(unsafe.Pointer(&how)), unsafe.Sizeof(how), 0, 0)
		if errno == 0 {
			runtime.KeepAlive(folder)
			return os.NewFile(fd, name), nil
		}
		if errno != syscall.EAGAIN && errno != syscall.EINTR {
			return nil, &fs.PathError{Op: "open", Path: name, Err: errno}
		}
	}
}

// rootOf is the root folder of a process. A path that is opened below it stays below it.
func rootOf(pid int) (*os.File, error) {
	return os.OpenFile(fmt.Sprintf("/proc/%d/root", pid), oPath|syscall.O_DIRECTORY|syscall.O_CLOEXEC, 0)
}

// openBelow opens a regular file below a root for reading. A pipe or a device is never opened, only looked at.
func openBelow(root *os.File, name string) (*os.File, error) {
	place, err := openat2(root, name, oPath, 0)
	if err != nil {
		return nil, err
	}
	defer place.Close()
	if info, err := place.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errNotRegular, err)
	}
	opened, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", place.Fd()), readFlags, 0)
	runtime.KeepAlive(place)
	return opened, err
}

func statOf(f *os.File) (syscall.Stat_t, error) {
	info, err := f.Stat()
	if err != nil {
		return syscall.Stat_t{}, err
	}
	return *info.Sys().(*syscall.Stat_t), nil
}

// why is the word for a file that could not be read.
func why(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.ESRCH):
		return "gone"
	case errors.Is(err, fs.ErrPermission):
		return "denied"
	case errors.Is(err, errNotRegular):
		return "not_regular"
	case errors.Is(err, errSizeLimit):
		return "size_limit"
	case errors.Is(err, errLate):
		return "time"
	}
	return "error"
}

// denials counts the reads that were refused, by what was read.
type denials map[string]int

// add counts a failed read; that something is not there is no refusal. It says whether it was one.
func (d denials) add(what string, err error) bool {
	if word := why(err); word == "" || word == "gone" || word == "not_regular" {
		return false
	}
	d[what]++
	return true
}

func (d denials) merge(other denials) {
	for what, count := range other {
		d[what] += count
	}
}

var errLate = errors.New("not in time")

// timed gives up waiting after a while: a read on a file system of the attacker's may never end.
func timed[T any](limit time.Duration, work func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	done := make(chan answer, 1)
	go func() {
		value, err := work()
		done <- answer{value, err}
	}()
	timer := time.NewTimer(max(limit, 0))
	defer timer.Stop()
	select {
	case a := <-done:
		return a.value, a.err
	case <-timer.C:
		var none T
		return none, errLate
	}
}

// at is a time as the documents write it; none is "".
func at(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func statTime(t syscall.Timespec) time.Time { return time.Unix(t.Sec, t.Nsec) }

// cleaned is a path in one spelling, from the root.
func cleaned(name string) string { return path.Clean("/" + name) }
