package main

import (
	"bufio"
	"bytes"
	"os"
	"runtime"
	"strconv"
	"strings"
)

const (
	mountsLimit    = 2000
	mountInfoLimit = 4 << 20
)

type mount struct {
	Path    string `json:"path"`
	Type    string `json:"type"`
	Source  string `json:"source"`
	Root    string `json:"root"`
	Options string `json:"options"`
	Volume  bool   `json:"volume"`
	id      int
}

type mounts struct {
	Name    string  `json:"name"`
	LeftOff int     `json:"left_off"`
	Denied  denials `json:"denied"`
	Mounts  []mount `json:"mounts"`
}

// mountsOf lists the mounts that a process sees, the last of a path last.
func mountsOf(pid int) ([]mount, error) {
	text, err := bounded(procPath(pid, "mountinfo"), mountInfoLimit)
	if err != nil {
		return nil, err
	}
	var list []mount
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() && len(list) < mountsLimit {
		if m, ok := mountLine(lines.Text()); ok {
			list = append(list, m)
		}
	}
	return list, nil
}

// mountLine reads `36 35 98:0 /root /path rw,noatime master:1 - ext3 source rw`.
func mountLine(line string) (mount, bool) {
	before, after, ok := strings.Cut(line, " - ")
	words, rest := strings.Fields(before), strings.Fields(after)
	if !ok || len(words) < 6 || len(rest) < 2 {
		return mount{}, false
	}
	id, err := strconv.Atoi(words[0])
	place := unescaped(words[4])
	return mount{place, rest[0], unescaped(rest[1]), unescaped(words[3]), words[5], place != "/", id}, err == nil
}

// unescaped gives back spaces and the like, which the kernel writes as \040.
func unescaped(text string) string {
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+3 < len(text) {
			if code, err := strconv.ParseUint(text[i+1:i+4], 8, 8); err == nil {
				out.WriteByte(byte(code))
				i += 3
				continue
			}
		}
		out.WriteByte(text[i])
	}
	return out.String()
}

// mountOf is the mount that an open file is on, by the kernel's number of it.
func mountOf(f *os.File, list []mount) (mount, bool) {
	text, err := bounded("/proc/self/fdinfo/"+strconv.Itoa(int(f.Fd())), 4096)
	runtime.KeepAlive(f)
	if err != nil {
		return mount{}, false
	}
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		if key != "mnt_id" {
			continue
		}
		for _, m := range list {
			if m.id == number(strings.TrimSpace(value)) {
				return m, true
			}
		}
	}
	return mount{}, false
}

// mountAbove is the mount that a path is below, where there is no file to ask.
func mountAbove(name string, list []mount) mount {
	var best mount
	for _, m := range list {
		above := m.Path == "/" || name == m.Path || strings.HasPrefix(name, m.Path+"/")
		if above && len(m.Path) >= len(best.Path) {
			best = m
		}
	}
	return best
}
