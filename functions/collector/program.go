package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"
)

// program reads the link of the running program, and what file it is. A kernel thread and a zombie have none.
func (p *process) program() {
	link, err := os.Readlink(p.base + "/exe")
	p.programErr = err
	if err != nil {
		p.deny("exe", err)
		p.HashWhy = why(err)
		if errors.Is(err, fs.ErrNotExist) {
			p.HashWhy = "no_program"
		}
		return
	}
	p.Exe = link
	place, err := os.OpenFile(p.base+"/exe", oPath|syscall.O_CLOEXEC, 0)
	if err == nil {
		p.stat, err = statOf(place)
		place.Close()
	}
	p.deny("exe_content", err)
	p.programErr = err
	p.Size = p.stat.Size
	p.deleted()
}

// deleted tells the kernel's mark from a file that is really called so.
func (p *process) deleted() {
	name, marked := strings.CutSuffix(p.Exe, deletedSuffix)
	if !marked || p.stat.Nlink > 0 && p.stands(p.Exe) {
		return
	}
	p.Exe, p.ExeDeleted = name, true
}

// stands: the running program is the file at this path.
func (p *process) stands(name string) bool {
	root, err := os.OpenFile(p.base+"/root", oPath|syscall.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer root.Close()
	place, err := openat2(root, name, oPath, 0)
	if err != nil {
		return false
	}
	defer place.Close()
	stat, err := statOf(place)
	return err == nil && stat.Dev == p.stat.Dev && stat.Ino == p.stat.Ino
}

// openProgram opens the running program itself, whatever stands at its path now.
func (p *process) openProgram() (*os.File, error) {
	if p.programErr != nil {
		return nil, p.programErr
	}
	f, err := os.OpenFile(p.base+"/exe", readFlags, 0)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, errNotRegular
	}
	return f, nil
}
