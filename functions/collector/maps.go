package main

import (
	"bufio"
	"bytes"
	"os"
	"slices"
	"strings"
	"time"
)

const (
	mapsLimit        = 8 << 20
	mappedFilesLimit = 2000
	mappedHashTime   = 2 * time.Second
)

// mapping is one executable mapping of a file.
type mapping struct {
	path    string
	deleted bool
}

type mappedFile struct {
	Path    string `json:"path"`
	Deleted bool   `json:"deleted"`
	Pids    []int  `json:"pids"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
	ByPath  bool   `json:"by_path"`
	Why     string `json:"why"`
}

type mappedFiles struct {
	Name    string       `json:"name"`
	LeftOff int          `json:"left_off"`
	Denied  denials      `json:"denied"`
	Files   []mappedFile `json:"files"`
}

// readMaps reads the executable mappings of a process, and counts those of no file.
func (p *process) readMaps() {
	text, err := bounded(p.base+"/maps", mapsLimit)
	p.deny("maps", err)
	p.maps, p.AnonymousExecutable = parseMaps(text)
}

func parseMaps(text []byte) (files []mapping, anonymous int) {
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<16)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 5 || !strings.Contains(words[1], "x") {
			continue
		}
		start := strings.IndexByte(lines.Text(), '/')
		switch {
		case len(words) == 5:
			anonymous++
		case start > 0 && words[5][0] == '/':
			name, deleted := strings.CutSuffix(unescaped(lines.Text()[start:]), deletedSuffix)
			if one := (mapping{name, deleted}); !slices.Contains(files, one) {
				files = append(files, one)
			}
		}
	}
	return files, anonymous
}

// lookAtMapped hashes by path what the processes have mapped beside their programs: the mapped file itself cannot be
// opened without a right that nobody should give.
func lookAtMapped(list []*process, found []match, h *hasher) mappedFiles {
	doc := mappedFiles{Name: "mapped_files", Denied: denials{}, Files: []mappedFile{}}
	files := mergedMaps(list, pidSet(found))
	doc.LeftOff = max(0, len(files)-mappedFilesLimit)
	h.more(mappedHashTime, fileLimit)
	for _, f := range files[:len(files)-doc.LeftOff] {
		f.hash(h, doc.Denied)
		doc.Files = append(doc.Files, *f)
	}
	return doc
}

// mergedMaps has each file once, those of matches first.
func mergedMaps(list []*process, matched map[int]bool) []*mappedFile {
	var files []*mappedFile
	index := map[mapping]*mappedFile{}
	for _, p := range list {
		for _, m := range p.maps {
			if m.path == p.Exe {
				continue
			}
			if index[m] == nil {
				index[m] = &mappedFile{Path: m.path, Deleted: m.deleted, ByPath: true}
				files = append(files, index[m])
			}
			index[m].Pids = append(index[m].Pids, p.Pid)
		}
	}
	slices.SortStableFunc(files, func(a, b *mappedFile) int { return order(anyIn(a.Pids, matched), anyIn(b.Pids, matched)) })
	return files
}

func (f *mappedFile) hash(h *hasher, denied denials) {
	opened, err := timed(processLimit, func() (*os.File, error) {
		root, err := rootOf(f.Pids[0])
		if err != nil {
			return nil, err
		}
		defer root.Close()
		return openBelow(root, f.Path)
	})
	var d digest
	if err == nil {
		if info, statErr := opened.Stat(); statErr == nil {
			f.Size = info.Size()
		}
		d, err = h.file(opened, 0)
	}
	f.SHA256, f.Why = d.Whole, why(err)
	denied.add("file", err)
}
