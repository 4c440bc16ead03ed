package main

import (
	"bytes"
	"os"
	"strings"
	"time"
)

const nameLimit = 256 // bytes of one name of the environment

// detailed is the process with all that is read of it, once it is known which matter most.
func (p *process) detailed() (*process, error) {
	d := *p
	d.State = first(stateOf(d.base), d.State)
	var err error
	d.Cwd, err = os.Readlink(d.base + "/cwd")
	d.deny("cwd", err)
	d.Root, err = os.Readlink(d.base + "/root")
	d.deny("root", err)
	d.environ()
	d.cgroup()
	d.readMaps()
	return &d, nil
}

// environ reads names alone: values are secrets.
func (p *process) environ() {
	text, err := bounded(p.base+"/environ", environLimit)
	p.deny("environ", err)
	for entry := range bytes.SplitSeq(text, []byte{0}) {
		name, _, ok := strings.Cut(string(entry), "=")
		if ok && len(p.EnvironNames) < namesLimit {
			p.EnvironNames = append(p.EnvironNames, name[:min(len(name), nameLimit)])
		}
	}
}

// cgroup keeps the line of version 2, else that of the memory controller.
func (p *process) cgroup() {
	text, err := bounded(p.base+"/cgroup", 1<<14)
	p.deny("cgroup", err)
	for line := range bytes.Lines(text) {
		word := strings.TrimSpace(string(line))
		if strings.HasPrefix(word, "0::") && word != "0::/" || strings.Contains(word, ":memory:") || p.Cgroup == "" {
			p.Cgroup = word
		}
	}
}

// hash reads the running program, and whether another file stands at its path.
func (p *process) hash(h *hasher) {
	if p.programErr != nil {
		return
	}
	f, err := p.openProgram()
	if err == nil {
		var d digest
		d, err = h.file(f, 0)
		p.SHA256 = d.Whole
	}
	p.HashWhy = why(err)
	p.deny("exe_content", err)
	if p.SHA256 != "" && !p.stands(p.Exe) {
		p.OnDisk = p.otherOnDisk(h)
	}
}

func (p *process) otherOnDisk(h *hasher) string {
	f, err := timed(processLimit, func() (*os.File, error) {
		root, err := rootOf(p.Pid)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		return openBelow(root, p.Exe)
	})
	if err != nil {
		return ""
	}
	d, _ := h.file(f, 0)
	if d.Whole == p.SHA256 {
		return ""
	}
	return d.Whole
}

// changedSince: the program came, or was changed, after the container's start.
func (p *process) changedSince(start time.Time) bool {
	return p.ExeDeleted || !start.IsZero() && statTime(p.stat.Ctim).After(start)
}
