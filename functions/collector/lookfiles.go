package main

import (
	"os"
	"slices"
	"syscall"
)

// files reads the container's files: where things are mounted, the finding's own, what changed, what is installed.
func (l *looking) files() {
	root, err := rootOf(l.target)
	l.out.denied.add("root", err)
	if err == nil {
		l.root = root
		defer root.Close()
	}
	l.sendMounts()
	finding := l.findingFiles()
	var tools compilers
	if l.root != nil {
		tools = findCompilers(l.root)
	}
	owners := l.packageOwners(finding, tools)
	a := newArtefacts(l.out, l.until)
	if l.root != nil {
		l.sendFindingArtefacts(a, finding, owners)
	}
	l.out.send(finding)
	l.out.denied.merge(finding.Denied)
	l.sendProcessArtefacts(a)
	l.sendMapped()
	if l.root != nil {
		l.sendChanged(a)
		l.sendTools(tools, owners)
		l.sendPackages(a, owners)
	}
}

func (l *looking) sendMounts() {
	list, err := mountsOf(l.target)
	doc := mounts{Name: "mounts", Denied: denials{}}
	doc.Denied.add("mountinfo", err)
	l.mounts = list
	l.out.denied.merge(doc.Denied)
	sendList(l.out, list, 0, func(kept []mount, leftOff int) any {
		doc.Mounts, doc.LeftOff = append([]mount{}, kept...), leftOff
		return doc
	})
}

func (l *looking) findingFiles() findingFiles {
	looker := fileLooker{l.root, l.mounts, l.scan.byPid(), l.found.Matches, l.hasher, denials{}, l.found.Unread > 0 || !l.found.Complete}
	return looker.look(l.request)
}

func (l *looking) packageOwners(finding findingFiles, tools compilers) *packageLooker {
	var paths []string
	for _, f := range finding.Files {
		paths = append(paths, f.Path)
	}
	for _, t := range tools.Compilers {
		paths = append(paths, t.Path, t.Program)
	}
	p := newPackageLooker(l.root, l.request.StartedAt, paths)
	if l.root == nil {
		return p
	}
	done, err := timed(packageTime+processLimit, func() (*packageLooker, error) { p.look(); return p, nil })
	if err != nil {
		return &packageLooker{denied: denials{"packages": 1}, late: true, recent: []ownedBy{}}
	}
	return done
}

// sendFindingArtefacts sends the running program where there is one, and what stands at the path where it differs.
func (l *looking) sendFindingArtefacts(a *artefacts, finding findingFiles, owners *packageLooker) {
	for _, f := range finding.Files {
		f.Package = owners.of(f.Path)
		begin := artefactBegin{Role: f.Role, Path: f.Path}
		for _, r := range f.bestRunning() {
			p := l.scan.byPid()[r.Pid]
			begin.Pid = r.Pid
			f.Artefact = first(f.Artefact, a.send(artefact{begin, fileLimit, p.openProgram}))
		}
		begin.Pid, begin.ByPath = 0, true
		if f.OnDisk.State == "regular" || f.OnDisk.State == "unread" {
			onDisk := a.send(artefact{begin, fileLimit, func() (*os.File, error) { return openBelow(l.root, f.Path) }})
			f.Artefact = first(f.Artefact, onDisk)
		}
	}
}

// bestRunning are the running programs of a file, those with its hash first, each content once.
func (f *findingFile) bestRunning() []runningFile {
	list := slices.Clone(f.Running)
	slices.SortStableFunc(list, func(a, b runningFile) int { return order(a.Matches, b.Matches) })
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(r runningFile) bool {
		again := seen[r.SHA256] && r.SHA256 != ""
		seen[r.SHA256] = true
		return again
	})
}

// sendProcessArtefacts sends programs of matches that the finding does not name, and that were not there at the start.
func (l *looking) sendProcessArtefacts(a *artefacts) {
	all := l.scan.byPid()
	last := a.count + processArtefacts
	for _, m := range l.found.Matches {
		p := all[m.Pid]
		if m.OwnProgram || p == nil || p.programErr != nil || !p.changedSince(l.request.StartedAt) || a.count >= last {
			continue
		}
		a.send(artefact{artefactBegin{Role: "process", Path: p.Exe, Pid: p.Pid}, fileLimit, p.openProgram})
	}
}

func (l *looking) sendMapped() {
	doc := lookAtMapped(l.scan.processes, l.found.Matches, l.hasher)
	l.out.denied.merge(doc.Denied)
	sendList(l.out, doc.Files, doc.LeftOff, func(kept []mappedFile, leftOff int) any {
		doc.Files, doc.LeftOff = kept, leftOff
		return doc
	})
}

type changedAnswer struct {
	files []changedFile
	doc   changedFiles
}

func (l *looking) sendChanged(a *artefacts) {
	since := l.request.StartedAt
	if since.IsZero() {
		return
	}
	root, list := l.root, l.mounts
	answer, err := timed(walkTime+processLimit, func() (changedAnswer, error) {
		files, doc := findChanged(root, since, list)
		return changedAnswer{files, doc}, nil
	})
	if err != nil {
		answer.doc = changedFiles{Name: "changed_files", Since: at(since), Why: "time", Denied: denials{}}
	}
	l.out.denied.merge(answer.doc.Denied)
	sendList(l.out, answer.files, answer.doc.LeftOff, func(kept []changedFile, leftOff int) any {
		answer.doc.Files, answer.doc.LeftOff = append([]changedFile{}, kept...), leftOff
		return answer.doc
	})
	for _, f := range answer.files {
		if slices.Contains(f.Marks, "preload") || slices.Contains(f.Marks, "cron") {
			begin := artefactBegin{Role: "changed", Path: f.Path, ByPath: true}
			a.send(artefact{begin, smallLimit, func() (*os.File, error) { return openBelow(l.root, f.Path) }})
		}
	}
}

func (l *looking) sendTools(tools compilers, owners *packageLooker) {
	for i, t := range tools.Compilers {
		tools.Compilers[i].Package = owners.of(t.Path)
		if tools.Compilers[i].Package == (ownedBy{}) {
			tools.Compilers[i].Package = owners.of(t.Program)
		}
	}
	l.out.denied.merge(tools.Denied)
	l.out.send(tools)
}

// sendPackages sends the databases as they are, so that a person can ask them anything.
func (l *looking) sendPackages(a *artefacts, owners *packageLooker) {
	doc := packages{Name: "packages", Denied: owners.denied, Databases: []database{}, Recent: owners.recent, Complete: !owners.late}
	for _, db := range databases {
		begin := artefactBegin{Role: "packages", Path: cleaned(db.path), ByPath: true}
		place, err := openat2(l.root, db.path, oPath, 0)
		if err != nil {
			doc.Denied.add("packages", err)
			continue
		}
		info, err := place.Stat()
		place.Close()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		stat := info.Sys().(*syscall.Stat_t)
		id := a.send(artefact{begin, databaseLimit, func() (*os.File, error) { return openBelow(l.root, db.path) }})
		doc.Databases = append(doc.Databases, database{db.kind, begin.Path, stat.Size, at(statTime(stat.Mtim)), at(statTime(stat.Ctim)), id})
	}
	l.out.denied.merge(doc.Denied)
	l.out.send(doc)
}
