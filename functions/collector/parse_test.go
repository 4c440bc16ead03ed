package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestAStatusIsReadWhateverItsNameIs(t *testing.T) {
	p := process{}
	p.status([]byte("Name:\tx\\nUid:\t7\nState:\tS (sleeping)\nNSpid:\t1234\t7\nPPid:\t3\nTracerPid:\t9\nUid:\t1\t1000\t1\t1\nGid:\t5\nCapEff:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t2\n\nbad\n:\n"))
	want := process{State: "S", NSPids: []int{1234, 7}, Parent: 3, Tracer: 9, UID: 1000, GID: 5, Capabilities: "0000000000000001", NoNewPrivs: true, Seccomp: 2}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("%+v", p)
	}
}

func TestAStatLineIsReadAfterTheLastBracketOfItsName(t *testing.T) {
	folder := t.TempDir()
	line := "7 (a) R 1) S 1 7 7 0 -1 4194560 100 0 0 0 0 0 0 0 20 0 1 0 812345 1 1\n"
	if err := os.WriteFile(filepath.Join(folder, "stat"), []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	words := statWords(folder)
	if stateOf(folder) != "S" || words[19] != "812345" {
		t.Errorf("%v", words)
	}
}

func TestAMountLineWithSpacesInItsNames(t *testing.T) {
	m, ok := mountLine(`36 35 98:0 /a\040b /data\134x rw,noatime master:1 - ext4 /dev/s\011da rw`)
	if want := (mount{`/data\x`, "ext4", "/dev/s\tda", "/a b", "rw,noatime", true, 36}); !ok || m != want {
		t.Errorf("%+v", m)
	}
	for _, line := range []string{"", "36 35", "a b c d e f - x", " - ", `x 35 98:0 / / rw - ext4 s`} {
		if _, ok := mountLine(line); ok {
			t.Errorf("%q is one", line)
		}
	}
}

func TestExecutableMappingsAreToldFromOthers(t *testing.T) {
	files, anonymous := parseMaps([]byte(strings.Join([]string{
		"7f00-7f01 r-xp 00000000 fe:00 12 /lib/a b.so",
		"7f01-7f02 r-xp 00001000 fe:00 12 /lib/a b.so",
		"7f02-7f03 rw-p 00000000 fe:00 12 /lib/data",
		"7f03-7f04 rwxp 00000000 00:00 0 ",
		"7f04-7f05 r-xp 00000000 00:00 0 [vdso]",
		`7f05-7f06 r-xp 00000000 fe:00 9 /tmp/x\012y.so (deleted)`,
		"bad",
	}, "\n")))
	want := []mapping{{"/lib/a b.so", false}, {"/tmp/x\ny.so", true}}
	if !reflect.DeepEqual(files, want) || anonymous != 1 {
		t.Errorf("%v %d", files, anonymous)
	}
}

func TestLinesOfTheNetAreReadInTheMachinesOrder(t *testing.T) {
	for _, c := range []struct {
		protocol, line string
		want           socket
	}{
		{"tcp", "0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 912 1 x", socket{"tcp", "listen", "127.0.0.1:8080", "0.0.0.0:0", 912, 1000, []int{}, ""}},
		{"tcp6", "0: 0000000000000000FFFF00000700000A:1F90 00000000000000000000000001000000:0050 01 0:0 0:0 0 0 0 5 1", socket{"tcp6", "established", "[::ffff:10.0.0.7]:8080", "[::1]:80", 5, 0, []int{}, ""}},
		{"udp", "0: 0100007F:1F90 00000000:0000 07 0:0 0:0 0 0 0 6 1", socket{"udp", "unconnected", "127.0.0.1:8080", "0.0.0.0:0", 6, 0, []int{}, ""}},
		{"packet", "0000 3 3 0003 2 1 0 1000 77", socket{"packet", "unconnected", "", "", 77, 1000, []int{}, ""}},
		{"unix", "0: 00000002 00000000 00010000 0001 01 55 /run/a b.sock", socket{"unix", "listen", "", "", 55, 0, []int{}, "/run/a b.sock"}},
	} {
		for _, f := range netFiles {
			if f.protocol == c.protocol {
				if got, ok := f.parse(f.protocol, strings.Fields(c.line)); !ok || !reflect.DeepEqual(got, c.want) {
					t.Errorf("%s: %+v", c.protocol, got)
				}
			}
		}
	}
}

func TestWhatIsInsideThePod(t *testing.T) {
	for _, c := range []struct {
		state, local, remote string
		inside               bool
	}{
		{"established", "127.0.0.1:1", "127.0.0.1:2", true},
		{"established", "[::ffff:10.0.0.7]:1", "[::ffff:10.0.0.7]:2", true},
		{"established", "10.0.0.7:1", "10.0.0.8:2", false},
		{"unconnected", "0.0.0.0:53", "0.0.0.0:0", false},
		{"unconnected", "127.0.0.1:53", "0.0.0.0:0", true},
		{"established", "", "", false},
	} {
		if got := (open{socket: socket{State: c.state, Local: c.local, Remote: c.remote}}).inside(); got != c.inside {
			t.Errorf("%+v", c)
		}
	}
}

func TestWhichNamesAreCompilers(t *testing.T) {
	for name, is := range map[string]bool{"gcc": true, "gcc-12": true, "x86_64-linux-gnu-g++-12": true, "clang++-14": true, "go": true, "ld": true,
		"musl-gcc": true, "gccx": false, "mongo": false, "as-is": false, "category": false, "cc1": false, "lld-15": true, "sed": false} {
		if compilerName.MatchString(name) != is {
			t.Errorf("%s", name)
		}
	}
}

// Whatever an attacker writes into names and lines: nothing panics, and what leaves is JSON in UTF-8.
func FuzzLines(f *testing.F) {
	f.Add("36 35 98:0 /root /path rw,noatime master:1 - ext3 source rw")
	f.Add("7f00-7f01 r-xp 00000000 fe:00 12 /lib/a b.so (deleted)")
	f.Add("0: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 1000 0 912 1 \xff")
	f.Fuzz(func(t *testing.T, line string) {
		p := process{}
		p.status([]byte(line))
		files, _ := parseMaps([]byte(line))
		m, _ := mountLine(line)
		values := []any{p, m, marksOf(line, p.stat), merged(line), unescaped(line)}
		for _, kind := range netFiles {
			s, _ := kind.parse(kind.protocol, strings.Fields(line))
			values = append(values, s)
		}
		if !utf8.Valid(encoded(values)) || len(files) > len(line) {
			t.Errorf("%q", line)
		}
		_, _ = socketOf([]byte(line))
		_ = errorOf([]byte(line))
	})
}
