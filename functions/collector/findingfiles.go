package main

import (
	"fmt"
	"os"
	"syscall"
	"time"
)

const findingHashTime = 8 * time.Second

// runningFile is a process that runs a file of the finding.
type runningFile struct {
	Pid     int    `json:"pid"`
	SHA256  string `json:"sha256"`
	Prefix  string `json:"prefix_sha256"`
	Matches bool   `json:"matches"`
	Deleted bool   `json:"deleted"`
}

// diskFile is what stands at a path now.
type diskFile struct {
	State      string `json:"state"`
	SHA256     string `json:"sha256"`
	Prefix     string `json:"prefix_sha256"`
	Matches    bool   `json:"matches"`
	Size       int64  `json:"size"`
	Mode       string `json:"mode"`
	UID        uint32 `json:"uid"`
	GID        uint32 `json:"gid"`
	ModifiedAt string `json:"modified_at"`
	ChangedAt  string `json:"changed_at"`
	Why        string `json:"why"`
}

type mountPlace struct {
	Path   string `json:"path"`
	Type   string `json:"type"`
	Volume bool   `json:"volume"`
}

// findingFile is what became of one file of the finding.
type findingFile struct {
	Role     string        `json:"role"`
	Index    int           `json:"index"`
	Path     string        `json:"path"`
	Hash     string        `json:"hash"`
	Running  []runningFile `json:"running"`
	OnDisk   diskFile      `json:"on_disk"`
	Mount    mountPlace    `json:"mount"`
	Package  ownedBy       `json:"package"`
	Artefact string        `json:"artefact"`
	file     file
}

type findingFiles struct {
	Name   string         `json:"name"`
	Denied denials        `json:"denied"`
	Files  []*findingFile `json:"files"`
}

// fileLooker reads the finding's files in a container.
type fileLooker struct {
	root      *os.File
	mounts    []mount
	processes map[int]*process
	matches   []match
	hasher    *hasher
	denied    denials
	unread    bool // some process's program is not known
}

func (l *fileLooker) look(r request) findingFiles {
	l.hasher.more(findingHashTime, matchSizeLimit)
	doc := findingFiles{Name: "files", Denied: l.denied, Files: []*findingFile{}}
	for _, kind := range []struct {
		role  string
		files []file
	}{{"binary", r.Binaries}, {"script", r.Scripts}, {"library", r.Libraries}} {
		for i, f := range kind.files {
			one := &findingFile{Role: kind.role, Index: i, Path: f.Path, file: f, Running: []runningFile{}}
			l.one(one)
			doc.Files = append(doc.Files, one)
		}
	}
	return doc
}

func (l *fileLooker) one(f *findingFile) {
	l.onDisk(f)
	if f.Role != "library" {
		l.running(f)
	}
	f.Hash = f.verdict(l.unread)
}

// running hashes the programs of the matches whose path or hash is this file's.
func (l *fileLooker) running(f *findingFile) {
	for _, m := range l.matches {
		p := l.processes[m.Pid]
		if p == nil || p.programErr != nil {
			continue
		}
		opened, err := p.openProgram()
		if err != nil {
			l.denied.add("exe_content", err)
			continue
		}
		d, err := l.hasher.file(opened, f.file.prefix())
		l.denied.add("exe_content", err)
		if f.file.is(d) || p.Exe == f.Path {
			f.Running = append(f.Running, runningFile{p.Pid, d.Whole, d.Prefix, f.file.is(d), p.ExeDeleted})
		}
	}
}

func (l *fileLooker) onDisk(f *findingFile) {
	f.OnDisk.State = "unread"
	f.Mount = placeOf(mountAbove(f.Path, l.mounts))
	if l.root == nil {
		return
	}
	opened, err := timed(processLimit, func() (*os.File, error) { return openBelow(l.root, f.Path) })
	f.OnDisk.Why = why(err)
	if l.denied.add("file", err) {
		f.OnDisk.State = map[bool]string{true: "denied", false: "unread"}[f.OnDisk.Why == "denied"]
		return
	}
	if err != nil {
		f.OnDisk.State = f.OnDisk.Why
		return
	}
	if m, ok := mountOf(opened, l.mounts); ok {
		f.Mount = placeOf(m)
	}
	f.OnDisk.read(opened, f.file, l.hasher)
}

func placeOf(m mount) mountPlace { return mountPlace{m.Path, m.Type, m.Volume} }

func (d *diskFile) read(opened *os.File, f file, h *hasher) {
	d.State = "regular"
	if stat, err := statOf(opened); err == nil {
		d.describe(stat)
	}
	sum, err := h.file(opened, f.prefix())
	d.SHA256, d.Prefix, d.Why, d.Matches = sum.Whole, sum.Prefix, why(err), f.is(sum)
	if err != nil && !d.Matches {
		d.State = "unread"
	}
}

func (d *diskFile) describe(s syscall.Stat_t) {
	d.Size, d.Mode, d.UID, d.GID = s.Size, modeOf(s), s.Uid, s.Gid
	d.ModifiedAt, d.ChangedAt = at(statTime(s.Mtim)), at(statTime(s.Ctim))
}

func modeOf(s syscall.Stat_t) string { return fmt.Sprintf("%04o", s.Mode&0o7777) }

// verdict says what the finding's hash is worth now. Nothing is said to be gone that may only be out of sight.
func (f *findingFile) verdict(unread bool) string {
	if f.file.SHA256 == "" {
		return "unknown"
	}
	differs := f.OnDisk.State == "regular"
	if f.OnDisk.Matches {
		return "matches"
	}
	for _, r := range f.Running {
		if r.Matches {
			return "matches"
		}
		differs = differs || r.SHA256 != "" || r.Prefix != ""
	}
	switch {
	case unread && f.Role != "library", f.OnDisk.State == "denied", f.OnDisk.State == "unread":
		return "unknown"
	case differs || f.OnDisk.State == "not_regular":
		return "differs"
	}
	return "gone"
}
