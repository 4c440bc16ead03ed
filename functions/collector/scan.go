package main

import (
	"os"
	"time"
)

const (
	processLimit   = time.Second     // to read one process
	scanLimit      = 2 * time.Second // to read all
	matchHashLimit = 1500 * time.Millisecond
)

// scan is one reading of all processes.
type scan struct {
	processes []*process
	unread    int // processes that could not be read at all
	late      bool
	denied    denials
}

func scanProcesses() scan {
	s := scan{denied: denials{}}
	pids, err := pidsOf()
	s.denied.add("proc", err)
	until := time.Now().Add(scanLimit)
	for i, pid := range pids {
		if time.Now().After(until) {
			s.unread, s.late = s.unread+len(pids)-i, true
			break
		}
		p, err := timed(processLimit, func() (*process, error) { return readProcess(pid) })
		if err == nil {
			s.processes = append(s.processes, p)
		} else if s.denied.add("status", err) {
			s.unread++
		}
	}
	return s
}

func (s scan) byPid() map[int]*process {
	all := make(map[int]*process, len(s.processes))
	for _, p := range s.processes {
		all[p.Pid] = p
	}
	return all
}

// targetOf is the process whose root and mounts are looked at: the first of the same mounts as a match, so that a
// match that changed its own root hides nothing; without a match the first of all.
func targetOf(s scan, found []match) int {
	for _, m := range found {
		want, err := os.Readlink(procPath(m.Pid, "ns/mnt"))
		if err != nil {
			continue
		}
		for _, p := range s.processes {
			if has, err := os.Readlink(procPath(p.Pid, "ns/mnt")); err == nil && has == want {
				return p.Pid
			}
		}
	}
	if len(s.processes) == 0 {
		return 0
	}
	return s.processes[0].Pid
}
