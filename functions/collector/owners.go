package main

import (
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	fdsLimit   = 4096 // of one process
	ownersTime = 2 * time.Second
)

// ownersOf says which processes have which socket open, by inode. It counts the files of each process.
func ownersOf(list []*process) (map[uint64][]int, denials) {
	owners, denied := map[uint64][]int{}, denials{}
	until := time.Now().Add(ownersTime)
	for _, p := range list {
		inodes, err := timed(min(processLimit, time.Until(until)), func() ([]uint64, error) { return socketInodes(p.base) })
		if denied.add("fd", err) {
			p.deny("fd", err)
		}
		for _, inode := range inodes {
			if inode != 0 {
				owners[inode] = appendOnce(owners[inode], p.Pid)
			}
		}
		p.Fds = len(inodes)
	}
	return owners, denied
}

func appendOnce(list []int, pid int) []int {
	if len(list) > 0 && list[len(list)-1] == pid {
		return list
	}
	return append(list, pid)
}

// socketInodes has one entry for each open file: the inode of a socket, 0 for anything else.
func socketInodes(base string) ([]uint64, error) {
	folder, err := os.Open(base + "/fd")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(fdsLimit)
	inodes := make([]uint64, len(names))
	for i, name := range names {
		link, linkErr := os.Readlink(base + "/fd/" + name)
		if why(linkErr) == "denied" {
			err = linkErr
		}
		if number, ok := strings.CutPrefix(link, "socket:["); ok {
			inodes[i], _ = strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
		}
	}
	if why(err) == "error" { // no file is open: io.EOF
		err = nil
	}
	return inodes, err
}
