package main

import (
	"errors"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	walkEntries   = 200_000
	walkTime      = 5 * time.Second
	walkQueue     = 16 << 20 // bytes of folder names that wait
	changedLimit  = 2000
	foldersAtOnce = 512
)

type changedFile struct {
	Path       string   `json:"path"`
	Type       string   `json:"type"`
	Size       int64    `json:"size"`
	Mode       string   `json:"mode"`
	UID        uint32   `json:"uid"`
	GID        uint32   `json:"gid"`
	ModifiedAt string   `json:"modified_at"`
	ChangedAt  string   `json:"changed_at"`
	Marks      []string `json:"marks"`
}

type changedFiles struct {
	Name     string        `json:"name"`
	Since    string        `json:"since"`
	Seen     int           `json:"seen"`
	Changed  int           `json:"changed"`
	LeftOff  int           `json:"left_off"`
	Complete bool          `json:"complete"`
	Why      string        `json:"why"`
	Denied   denials       `json:"denied"`
	Files    []changedFile `json:"files"`
}

// walker goes through the folders of a root, shallow ones first: so a deep or a full folder hides few others.
type walker struct {
	doc    changedFiles
	root   *os.File
	since  time.Time
	until  time.Time
	mounts map[string]bool
	queue  []string
	queued int
	marked []changedFile
	plain  []changedFile
}

// findChanged lists what changed after a time on the root's own file system. It gives the document without its list.
func findChanged(root *os.File, since time.Time, list []mount) ([]changedFile, changedFiles) {
	w := &walker{root: root, since: since, until: time.Now().Add(walkTime), mounts: map[string]bool{}, queue: []string{"/"}}
	w.doc = changedFiles{Name: "changed_files", Since: at(since), Complete: true, Denied: denials{}}
	for _, m := range list {
		w.mounts[m.Path] = true
	}
	for len(w.queue) > 0 && w.doc.Why == "" {
		folder := w.queue[0]
		w.queue = w.queue[1:]
		w.queued -= len(folder)
		w.folder(folder)
	}
	files := append(w.marked, w.plain...)
	w.doc.LeftOff = w.doc.Changed - min(len(files), changedLimit)
	if w.doc.Why == "" && len(w.doc.Denied) > 0 {
		w.stop("denied")
	}
	return files[:min(len(files), changedLimit)], w.doc
}

func (w *walker) stop(reason string) { w.doc.Complete, w.doc.Why = false, reason }

// folder reads one folder. No link is followed, and nothing that is mounted below is entered.
func (w *walker) folder(name string) {
	f, err := openat2(w.root, name, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW,
		resolveNoSymlinks|resolveNoXdev)
	if err != nil {
		if !errors.Is(err, syscall.EXDEV) && !errors.Is(err, syscall.ELOOP) {
			w.doc.Denied.add("folder", err)
		}
		return
	}
	defer f.Close()
	for w.doc.Why == "" {
		names, err := f.Readdirnames(foldersAtOnce)
		for _, entry := range names {
			w.entry(f, path.Join(name, entry), entry)
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				w.doc.Denied.add("folder", err)
			}
			return
		}
		if time.Now().After(w.until) {
			w.stop("time")
		}
	}
}

func (w *walker) entry(folder *os.File, name, entry string) {
	if w.doc.Seen >= walkEntries || w.queued > walkQueue {
		w.stop("entries")
		return
	}
	w.doc.Seen++
	if w.mounts[name] {
		return
	}
	stat, err := lstatAt(folder, entry)
	if err != nil {
		w.doc.Denied.add("folder", err)
		return
	}
	if stat.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		w.queue = append(w.queue, name)
		w.queued += len(name)
	}
	if statTime(stat.Ctim).After(w.since) {
		w.changed(name, stat)
	}
}

func (w *walker) changed(name string, stat syscall.Stat_t) {
	w.doc.Changed++
	one := changedFile{name, typeOf(stat), stat.Size, modeOf(stat), stat.Uid, stat.Gid, at(statTime(stat.Mtim)),
		at(statTime(stat.Ctim)), marksOf(name, stat)}
	if len(one.Marks) > 0 && len(w.marked) < changedLimit {
		w.marked = append(w.marked, one)
	} else if len(w.plain) < changedLimit {
		w.plain = append(w.plain, one)
	}
}

var typeNames = map[uint32]string{syscall.S_IFREG: "file", syscall.S_IFDIR: "folder", syscall.S_IFLNK: "link"}

func typeOf(s syscall.Stat_t) string { return first(typeNames[s.Mode&syscall.S_IFMT], "other") }

var (
	compilerOutput = regexp.MustCompile(`(?:\.(?:o|a|so|ko|obj|class|pyc)|\.so\.[\d.]+|/a\.out)$`)
	cronPlaces     = []string{"/etc/cron", "/var/spool/cron/", "/etc/anacrontab"}
)

// marksOf says what a person looks at first.
func marksOf(name string, s syscall.Stat_t) []string {
	marks := []string{}
	if s.Mode&syscall.S_IFMT != syscall.S_IFREG {
		return marks
	}
	if compilerOutput.MatchString(name) {
		marks = append(marks, "compiler_output")
	}
	if name == "/etc/ld.so.preload" {
		marks = append(marks, "preload")
	}
	if slices.ContainsFunc(cronPlaces, func(place string) bool { return strings.HasPrefix(name, place) }) {
		marks = append(marks, "cron")
	}
	if s.Mode&(syscall.S_ISUID|syscall.S_ISGID) != 0 {
		marks = append(marks, "setuid")
	}
	if s.Mode&0o111 != 0 {
		marks = append(marks, "executable")
	}
	return marks
}
