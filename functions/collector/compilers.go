package main

import (
	"os"
	"path"
	"regexp"
	"slices"
	"syscall"
)

const (
	binNames       = 20_000 // of one folder
	compilersLimit = 200
)

var compilerName = regexp.MustCompile(`^(?:[\w.]+-)*?(?:gcc|g\+\+|cc|c\+\+|c89|c99|clang|clang\+\+|tcc|gfortran|go|gccgo|gofmt|` +
	`rustc|javac|ghc|nim|zig|dmd|ldc2|fpc|swiftc|kotlinc|mcs|csc|nasm|yasm|as|ld|lld|gold)(?:-[\d.]+)?$`)

var binFolders = []string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin", "usr/local/go/bin",
	"usr/lib/go/bin", "opt/bin", "tmp", "root/bin"}

type compiler struct {
	Path      string  `json:"path"`
	Program   string  `json:"program"`
	ChangedAt string  `json:"changed_at"`
	Package   ownedBy `json:"package"`
}

type compilers struct {
	Name      string     `json:"name"`
	LeftOff   int        `json:"left_off"`
	Denied    denials    `json:"denied"`
	Compilers []compiler `json:"compilers"`
}

// findCompilers looks for the names of compilers, assemblers and linkers where programs lie.
func findCompilers(root *os.File) compilers {
	doc := compilers{Name: "compilers", Denied: denials{}, Compilers: []compiler{}}
	seen := map[string]bool{}
	for _, folder := range binFolders {
		for _, name := range namesIn(root, folder, doc.Denied) {
			if !compilerName.MatchString(name) {
				continue
			}
			one, ok := compilerAt(root, path.Join("/", folder, name), doc.Denied)
			if ok && !seen[merged(one.Path)] {
				seen[merged(one.Path)] = true
				doc.Compilers = append(doc.Compilers, one)
			}
		}
	}
	doc.LeftOff = max(0, len(doc.Compilers)-compilersLimit)
	doc.Compilers = doc.Compilers[:len(doc.Compilers)-doc.LeftOff]
	return doc
}

func namesIn(root *os.File, folder string, denied denials) []string {
	opened, err := openat2(root, folder, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		denied.add("file", err)
		return nil
	}
	defer opened.Close()
	names, _ := opened.Readdirnames(binNames)
	slices.Sort(names)
	return names
}

// compilerAt follows the links of a name within the root: gcc is often a link to gcc-12.
func compilerAt(root *os.File, name string, denied denials) (compiler, bool) {
	f, err := openat2(root, name, oPath, 0)
	if err != nil {
		denied.add("file", err)
		return compiler{}, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return compiler{}, false
	}
	one := compiler{Path: name, Program: followed(root, name)}
	one.ChangedAt = at(statTime(info.Sys().(*syscall.Stat_t).Ctim))
	return one, true
}

// followed is where the links of a file's own name lead; a folder that is a link is left as it is.
func followed(root *os.File, name string) string {
	for range 8 {
		place, err := openat2(root, name, oPath|syscall.O_NOFOLLOW, 0)
		if err != nil {
			return name
		}
		target, err := readlinkOf(place)
		place.Close()
		if err != nil {
			return name
		}
		if !path.IsAbs(target) {
			target = path.Join(path.Dir(name), target)
		}
		name = cleaned(target)
	}
	return name
}
