package main

import (
	"bufio"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	dpkgInfo       = "var/lib/dpkg/info"
	dpkgStatus     = "var/lib/dpkg/status"
	listFiles      = 20_000
	listSize       = 8 << 20
	packageTime    = 3 * time.Second
	recentPackages = 500
)

// databases are the files in which package managers keep what is installed, and when.
var databases = []struct{ kind, path string }{
	{"dpkg_status", "var/lib/dpkg/status"}, {"dpkg_log", "var/log/dpkg.log"},
	{"apk_installed", "lib/apk/db/installed"}, {"apk_installed", "usr/lib/apk/db/installed"},
	{"rpm_sqlite", "var/lib/rpm/rpmdb.sqlite"}, {"rpm_sqlite", "usr/lib/sysimage/rpm/rpmdb.sqlite"},
	{"rpm_bdb", "var/lib/rpm/Packages"}, {"rpm_ndb", "var/lib/rpm/Packages.db"},
}

// ownedBy is the package that a file belongs to, by the package manager's own lists.
type ownedBy struct {
	Manager     string `json:"manager"`
	Name        string `json:"name"`
	Version     string `json:"version"`
	InstalledAt string `json:"installed_at"`
}

type database struct {
	Kind       string `json:"kind"`
	Path       string `json:"path"`
	Size       int64  `json:"size"`
	ModifiedAt string `json:"modified_at"`
	ChangedAt  string `json:"changed_at"`
	Artefact   string `json:"artefact"`
}

type packages struct {
	Name      string     `json:"name"`
	Denied    denials    `json:"denied"`
	Databases []database `json:"databases"`
	Recent    []ownedBy  `json:"recent"`
	Complete  bool       `json:"complete"`
}

// packageLooker finds the packages of some paths, and those that came after the container's start.
type packageLooker struct {
	root   *os.File
	since  time.Time
	wanted map[string]bool
	owner  map[string]ownedBy
	recent []ownedBy
	denied denials
	late   bool
}

func newPackageLooker(root *os.File, since time.Time, paths []string) *packageLooker {
	l := &packageLooker{root: root, since: since, wanted: map[string]bool{}, owner: map[string]ownedBy{},
		recent: []ownedBy{}, denied: denials{}}
	for _, name := range paths {
		l.wanted[merged(name)] = true
	}
	return l
}

// merged is a path as it is whether or not /bin is a link to /usr/bin: the lists have either.
func merged(name string) string {
	name = cleaned(name)
	for _, folder := range []string{"/bin/", "/sbin/", "/lib/", "/lib64/"} {
		if strings.HasPrefix(name, folder) {
			return "/usr" + name
		}
	}
	return name
}

func (l *packageLooker) of(name string) ownedBy { return l.owner[merged(name)] }

func (l *packageLooker) look() {
	until := time.Now().Add(packageTime)
	l.dpkg(until)
	for _, db := range databases {
		if db.kind == "apk_installed" {
			l.apk(db.path)
		}
	}
	versions := l.versions()
	for name, is := range l.owner {
		is.Version = first(is.Version, versions[is.Name])
		l.owner[name] = is
	}
	for i := range l.recent {
		l.recent[i].Version = versions[l.recent[i].Name]
	}
}

func first(words ...string) string {
	for _, word := range words {
		if word != "" {
			return word
		}
	}
	return ""
}

// dpkg reads the lists of files, one for each package; a list is as old as its package's installation.
func (l *packageLooker) dpkg(until time.Time) {
	folder, err := openat2(l.root, dpkgInfo, syscall.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
	if err != nil {
		l.denied.add("packages", err)
		return
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(listFiles)
	slices.Sort(names)
	l.late = len(names) == listFiles
	for _, name := range names {
		if time.Now().After(until) {
			l.late = true
			return
		}
		if title, ok := strings.CutSuffix(name, ".list"); ok {
			l.dpkgList(title)
		}
	}
}

func (l *packageLooker) dpkgList(title string) {
	f, err := openBelow(l.root, path.Join(dpkgInfo, title+".list"))
	if err != nil {
		l.denied.add("packages", err)
		return
	}
	defer f.Close()
	stat, err := statOf(f)
	if err != nil {
		return
	}
	name, _, _ := strings.Cut(title, ":") // libc6:amd64
	is := ownedBy{Manager: "dpkg", Name: name, InstalledAt: at(statTime(stat.Ctim))}
	if !l.since.IsZero() && statTime(stat.Ctim).After(l.since) && len(l.recent) < recentPackages {
		l.recent = append(l.recent, is)
	}
	for line := range linesOf(f, listSize) {
		if l.wanted[merged(line)] {
			l.owner[merged(line)] = is
		}
	}
}

// linesOf gives the lines of a file, up to a size.
func linesOf(f io.Reader, limit int64) func(func(string) bool) {
	return func(yield func(string) bool) {
		lines := bufio.NewScanner(io.LimitReader(f, limit))
		for lines.Scan() {
			if !yield(lines.Text()) {
				return
			}
		}
	}
}

// apk reads the one database of Alpine: `P:` package, `V:` version, `F:` folder, `R:` file in it.
func (l *packageLooker) apk(name string) {
	f, err := openBelow(l.root, name)
	if err != nil {
		l.denied.add("packages", err)
		return
	}
	defer f.Close()
	stat, err := statOf(f)
	if err != nil {
		return
	}
	is, folder := ownedBy{Manager: "apk", InstalledAt: at(statTime(stat.Ctim))}, ""
	for line := range linesOf(f, 4*listSize) {
		key, value, _ := strings.Cut(line, ":")
		switch key {
		case "P":
			is.Name = value
		case "V":
			is.Version = value
		case "F":
			folder = value
		case "R":
			if whole := merged(path.Join("/", folder, value)); l.wanted[whole] {
				l.owner[whole] = is
			}
		}
	}
}

// versions of the packages of dpkg, by name.
func (l *packageLooker) versions() map[string]string {
	all := map[string]string{}
	if len(l.owner) == 0 && len(l.recent) == 0 {
		return all
	}
	f, err := openBelow(l.root, dpkgStatus)
	if err != nil {
		l.denied.add("packages", err)
		return all
	}
	defer f.Close()
	name := ""
	for line := range linesOf(f, 4*listSize) {
		if value, ok := strings.CutPrefix(line, "Package: "); ok {
			name = value
		} else if value, ok := strings.CutPrefix(line, "Version: "); ok {
			all[name] = value
		}
	}
	return all
}
