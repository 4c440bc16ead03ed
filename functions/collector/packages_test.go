package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// alpine is the database of Alpine's package manager, shortened.
const alpine = "P:musl\nV:1.2.5-r0\nF:lib\nR:ld-musl-x86_64.so.1\n\nP:gcc\nV:13.2.1_git20240309-r0\nF:usr/bin\nR:gcc\nR:cc\n"

func TestTheOwnerOfAFileIsToldByAlpinesDatabase(t *testing.T) {
	root, inside := fakeRoot(t)
	must(t, os.MkdirAll(filepath.Join(inside, "lib/apk/db"), 0o755), os.WriteFile(filepath.Join(inside, "lib/apk/db/installed"), []byte(alpine), 0o600))
	looker := newPackageLooker(root, time.Time{}, []string{"/usr/bin/gcc", "/lib/ld-musl-x86_64.so.1", "/tmp/file"})
	looker.look()
	for name, wanted := range map[string]ownedBy{
		"/usr/bin/gcc":             {"apk", "gcc", "13.2.1_git20240309-r0", ""},
		"/lib/ld-musl-x86_64.so.1": {"apk", "musl", "1.2.5-r0", ""},
		"/tmp/file":                {},
	} {
		found := looker.of(name)
		found.InstalledAt = ""
		if found != wanted {
			t.Errorf("%s: %v, not %v", name, found, wanted)
		}
	}
}
