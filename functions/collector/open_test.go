package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeRoot is a folder with whatever an attacker puts into a container, and a secret beside it.
func fakeRoot(t *testing.T) (*os.File, string) {
	outside := t.TempDir()
	inside := filepath.Join(outside, "root")
	must(t, os.MkdirAll(filepath.Join(inside, "tmp/deep"), 0o755), os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600),
		os.WriteFile(filepath.Join(inside, "tmp/file"), []byte("content"), 0o600), os.WriteFile(filepath.Join(inside, "secret"), []byte("inner"), 0o600),
		os.Symlink("../secret", filepath.Join(inside, "up")), os.Symlink("/secret", filepath.Join(inside, "absolute")),
		os.Symlink("/proc/self/root"+outside+"/secret", filepath.Join(inside, "magic")), os.Symlink("loop", filepath.Join(inside, "loop")),
		os.Symlink("/proc/1/exe", filepath.Join(inside, "exe")), syscall.Mkfifo(filepath.Join(inside, "pipe"), 0o666), os.Truncate(filepath.Join(inside, "tmp/file"), 7))
	root, err := os.OpenFile(inside, oPath|syscall.O_DIRECTORY, 0)
	must(t, err)
	t.Cleanup(func() { root.Close() })
	return root, inside
}

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestNothingOutsideARootIsOpened(t *testing.T) {
	root, _ := fakeRoot(t)
	for name, want := range map[string]string{"/tmp/file": "content", "up": "inner", "absolute": "inner", "../../secret": "inner", "/tmp/../../../secret": "inner"} {
		f, err := openBelow(root, name)
		must(t, err)
		text := make([]byte, 16)
		count, _ := f.Read(text)
		f.Close()
		if string(text[:count]) != want {
			t.Errorf("%s: %q", name, text[:count])
		}
	}
	for name, want := range map[string]string{"magic": "gone", "loop": "error", "exe": "gone", "pipe": "not_regular", "tmp": "not_regular", "/": "not_regular", "none": "gone", "tmp/file/x": "gone"} {
		began := time.Now()
		if _, err := openBelow(root, name); why(err) != want {
			t.Errorf("%s: %s, not %s (%v)", name, why(err), want, err)
		}
		if time.Since(began) > time.Second {
			t.Errorf("%s holds us up", name)
		}
	}
}

func TestAHashHasItsPrefixAndItsLimit(t *testing.T) {
	late := time.Now().Add(time.Minute)
	d, err := digestOf(strings.NewReader("hello world"), 5, 100, late)
	if err != nil || d.Prefix != "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" || d.Whole != "b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9" {
		t.Errorf("%+v %v", d, err)
	}
	for _, limit := range []int64{10, 11} {
		d, err := digestOf(strings.NewReader("hello world"), 0, limit, late)
		if (err == nil) != (limit == 11) || (d.Whole == "") == (limit == 11) {
			t.Errorf("limit %d: %+v %v", limit, d, err)
		}
	}
	if _, err := digestOf(strings.NewReader(strings.Repeat("x", 1<<20)), 0, 1<<30, time.Now().Add(-time.Second)); why(err) != "time" {
		t.Errorf("no end: %v", err)
	}
}

func TestAReadThatNeverEndsIsLeft(t *testing.T) {
	began := time.Now()
	_, err := timed(20*time.Millisecond, func() (int, error) { select {} })
	if why(err) != "time" || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(began))
	}
}

func TestTheWalkFollowsNoLinkAndSaysWhereItStops(t *testing.T) {
	root, inside := fakeRoot(t)
	must(t, os.WriteFile(filepath.Join(inside, "tmp/deep/x.o"), nil, 0o644), os.Symlink("/", filepath.Join(inside, "tmp/all")),
		os.MkdirAll(filepath.Join(inside, "etc/cron.d"), 0o755), os.WriteFile(filepath.Join(inside, "etc/cron.d/x"), nil, 0o755))
	files, doc := findChanged(root, time.Now().Add(-time.Hour), []mount{{Path: "/"}, {Path: "/tmp/file"}})
	var names []string
	for _, f := range files {
		names = append(names, f.Path)
	}
	if !doc.Complete || doc.Changed != len(files) || !slices.Contains(names, "/tmp/deep/x.o") || slices.Contains(names, "/tmp/file") || strings.Contains(strings.Join(names, " "), "/tmp/all/") {
		t.Errorf("%+v %v", doc, names)
	}
	if files[0].Path != "/etc/cron.d/x" && files[0].Path != "/tmp/deep/x.o" || !slices.Equal(marksOf("/etc/cron.d/x", syscall.Stat_t{Mode: syscall.S_IFREG | 0o4755}), []string{"cron", "setuid", "executable"}) {
		t.Errorf("marked ones are not first: %v", names)
	}
	if later, doc := findChanged(root, time.Now().Add(time.Hour), nil); len(later) != 0 || doc.Seen == 0 {
		t.Errorf("%v", later)
	}
}

func TestTheWalkEndsInAFolderOfTooManyNames(t *testing.T) {
	root, _ := fakeRoot(t)
	w := &walker{root: root, until: time.Now().Add(-time.Second), queue: []string{"/"}, doc: changedFiles{Complete: true, Denied: denials{}}}
	w.folder("/tmp")
	w.folder("/")
	if w.doc.Complete || w.doc.Why != "time" {
		t.Errorf("%+v", w.doc)
	}
}
