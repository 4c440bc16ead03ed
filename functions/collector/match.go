package main

import "slices"

// match is a process that the finding means, and what points at it, strongest first.
type match struct {
	Pid         int      `json:"pid"`
	StartTicks  int64    `json:"start_ticks"`
	By          []string `json:"by"`
	ParentMatch int      `json:"parent_match"`
	OwnProgram  bool     `json:"own_program"`
	Proved      bool     `json:"proved"`
}

type matches struct {
	Name     string  `json:"name"`
	Seen     int     `json:"seen"`
	Unread   int     `json:"unread"`
	Complete bool    `json:"complete"`
	Matches  []match `json:"matches"`
}

// A program is compared whole, however large, while there is time.
const matchSizeLimit = 1 << 30

// matcher compares processes with the finding.
type matcher struct {
	request request
	hasher  *hasher
}

// find gives the matches of one scan, by pid. A process that could not be read is counted: it may be one.
func (m matcher) find(s scan) matches {
	found := matches{Name: "matches", Seen: len(s.processes), Unread: s.unread, Complete: !s.late, Matches: []match{}}
	for _, p := range m.likelyFirst(s.processes) {
		one, read := m.compare(p)
		if !read {
			found.Unread++
		}
		if len(one.By) > 0 {
			found.Matches = append(found.Matches, one)
		}
	}
	found.Matches = withDescendants(s, found.Matches)
	slices.SortFunc(found.Matches, func(a, b match) int { return a.Pid - b.Pid })
	found.Complete = found.Complete && found.Unread == 0
	return found
}

// likelyFirst: while there is time to hash, those that the path points at, then those whose file is unlinked.
func (m matcher) likelyFirst(list []*process) []*process {
	rank := func(p *process) int {
		if m.byPath(p) || m.byArgs(p) {
			return 0
		}
		if p.ExeDeleted {
			return 1
		}
		return 2
	}
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b *process) int { return rank(a) - rank(b) })
	return sorted
}

// compare says what points at a process, and whether its program could be read where that is asked.
func (m matcher) compare(p *process) (match, bool) {
	one := match{Pid: p.Pid, StartTicks: p.StartTicks, By: []string{}}
	byHash, read := m.byHash(p)
	if byHash {
		one.By = append(one.By, "sha256")
	}
	if m.byPath(p) {
		one.By = append(one.By, "exe")
	}
	if m.byArgs(p) {
		one.By = append(one.By, "args")
	}
	if len(one.By) > 0 && m.byPid(p) {
		one.By = append(one.By, "pid")
	}
	one.Proved = byHash && p.started().Before(m.request.EventTime)
	one.OwnProgram = len(one.By) > 0 && m.ownProgram(p, one.By)
	return one, read
}

// byHash compares the running program with each hash; whose size cannot be right is not read.
func (m matcher) byHash(p *process) (matched, read bool) {
	read = p.programErr == nil || why(p.programErr) == "gone"
	if p.programErr != nil {
		return false, read || !m.hashes()
	}
	for _, f := range m.request.programs() {
		if !f.fits(p.stat.Size) {
			continue
		}
		opened, err := p.openProgram()
		if err != nil {
			p.deny("exe_content", err)
			return false, why(err) == "gone"
		}
		d, err := m.hasher.file(opened, f.prefix())
		if f.is(d) {
			return true, true
		}
		read = read && (err == nil || d.Prefix != "")
	}
	return false, read
}

func (m matcher) hashes() bool {
	return slices.ContainsFunc(m.request.programs(), func(f file) bool { return f.SHA256 != "" })
}

func (m matcher) byPath(p *process) bool {
	return p.Exe != "" && slices.ContainsFunc(m.request.programs(), func(f file) bool {
		return f.Path == p.Exe || f.Path == p.Exe+deletedSuffix
	})
}

func (m matcher) byArgs(p *process) bool {
	return slices.ContainsFunc(m.request.programs(), func(f file) bool { return slices.Contains(p.Args, f.Path) })
}

func (m matcher) byPid(p *process) bool {
	return slices.Contains(m.request.Pids, p.Pid) || slices.ContainsFunc(p.NSPids, func(pid int) bool {
		return slices.Contains(m.request.Pids, pid)
	})
}

// ownProgram: the program was there before the container started, as a shell or an interpreter is, and nothing but
// its file points at this process. Others of the workload run it, too.
func (m matcher) ownProgram(p *process, by []string) bool {
	if m.request.StartedAt.IsZero() || p.programErr != nil || p.ExeDeleted || slices.Contains(by, "pid") {
		return false
	}
	if !statTime(p.stat.Ctim).Before(m.request.StartedAt) {
		return false
	}
	return !m.scriptArgs(p) && !m.words(p)
}

func (m matcher) scriptArgs(p *process) bool {
	return slices.ContainsFunc(m.request.Scripts, func(f file) bool { return slices.Contains(p.Args, f.Path) })
}

// words: the command line begins with the finding's words, two at least, or is all of them.
func (m matcher) words(p *process) bool {
	want := m.request.Args
	if len(want) == 0 || len(p.Args) < len(want) || !slices.Equal(p.Args[:len(want)], want) {
		return false
	}
	return len(want) > 1 || len(p.Args) == 1
}

// withDescendants adds the children of what matched, and theirs. Never those of process 1: all are its own in the end.
func withDescendants(s scan, found []match) []match {
	index := map[int]int{}
	parent := map[int]bool{}
	for i, m := range found {
		index[m.Pid] = i
		parent[m.Pid] = m.Pid != 1 && !m.OwnProgram
	}
	for grew := true; grew; {
		grew = false
		for _, p := range s.processes {
			if !parent[p.Parent] || parent[p.Pid] || p.Pid == 1 {
				continue
			}
			parent[p.Pid], grew = true, true
			i, known := index[p.Pid]
			if !known {
				i = len(found)
				found = append(found, match{Pid: p.Pid, StartTicks: p.StartTicks})
			}
			found[i].By, found[i].ParentMatch = append(found[i].By, "descendant"), p.Parent
			found[i].OwnProgram = false
		}
	}
	return found
}

func newMatcher(r request) matcher { return matcher{r, newHasher(matchHashLimit, matchSizeLimit)} }
