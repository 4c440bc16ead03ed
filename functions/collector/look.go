package main

import (
	"os"
	"time"
)

const (
	lookTime         = 55 * time.Second
	processHashTime  = 4 * time.Second
	processListLimit = 2000
	environLimit     = 128 << 10
	processArtefacts = 8
)

type processList struct {
	Name      string     `json:"name"`
	LeftOff   int        `json:"left_off"`
	Denied    denials    `json:"denied"`
	Processes []*process `json:"processes"`
}

// looking is one look: what was asked, and what is known so far.
type looking struct {
	out     *frames
	request request
	options options
	until   time.Time
	scan    scan
	found   matches
	frozen  freezing
	hasher  *hasher
	target  int
	root    *os.File
	mounts  []mount
	owners  map[uint64][]int
	matcher matcher
}

// look reads what a process is and does, the volatile first; what is to be frozen, before anything else.
func look(out *frames, r request, o options) *looking {
	l := &looking{out: out, request: r, options: o, until: time.Now().Add(lookTime), matcher: newMatcher(r)}
	l.hasher = l.matcher.hasher
	l.scan = scanProcesses()
	l.found = l.matcher.find(l.scan)
	if o.freeze {
		l.scan, l.found, l.frozen = freeze(l.matcher, l.scan, l.found)
	}
	l.target = targetOf(l.scan, l.found.Matches)
	out.denied.merge(l.scan.denied)
	out.send(runOf(o, r, l.target))
	out.send(l.found)
	if o.freeze {
		out.send(l.frozen)
	}
	l.volatile()
	l.files()
	if o.freeze {
		out.send(l.frozen.check())
	}
	return l
}

// volatile is what ends with the processes.
func (l *looking) volatile() {
	var denied denials
	l.owners, denied = ownersOf(l.scan.processes)
	if l.options.sockets {
		l.out.send(cut("processes", 0, l.ofMatches))
	}
	l.details()
	list, doc := lookAtSockets(l.owners, denied, l.found.Matches)
	l.out.denied.merge(doc.Denied)
	sendList(l.out, list, doc.LeftOff, func(kept []socket, leftOff int) any {
		doc.Sockets, doc.LeftOff = kept, leftOff
		return doc
	})
}

// ofMatches: a matched process that is not the workload's own has the socket open.
func (l *looking) ofMatches(s socket) bool {
	for _, m := range l.found.Matches {
		for _, pid := range l.owners[s.Inode] {
			if pid == m.Pid && !m.OwnProgram {
				return true
			}
		}
	}
	return false
}

// details completes the processes, the matches first, and sends them.
func (l *looking) details() {
	doc := processList{Name: "processes", Denied: denials{}}
	matched := pidSet(l.found.Matches)
	var list []*process
	for _, first := range []bool{true, false} {
		for _, p := range l.scan.processes {
			if matched[p.Pid] == first && len(list) < processListLimit {
				list = append(list, p)
			}
		}
	}
	l.hasher.more(processHashTime, matchSizeLimit)
	for _, p := range list {
		if detailed, err := timed(processLimit, p.detailed); err == nil {
			*p = *detailed
		} else {
			p.deny("status", err)
		}
		p.hash(l.hasher)
		for _, what := range p.Denied {
			doc.Denied[what]++
		}
	}
	l.out.denied.merge(doc.Denied)
	sendList(l.out, list, len(l.scan.processes)-len(list), func(kept []*process, leftOff int) any {
		doc.Processes, doc.LeftOff = kept, leftOff
		return doc
	})
}
