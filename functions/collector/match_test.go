package main

import (
	"errors"
	"os"
	"os/exec"
	"reflect"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
)

var containerStart = time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC)

func running(pid, parent int, exe string, args ...string) *process {
	p := &process{Pid: pid, Parent: parent, StartTicks: int64(pid), Exe: exe, Args: args, NSPids: []int{1000 + pid, pid}}
	p.stat.Ctim = syscall.NsecToTimespec(containerStart.Add(time.Hour).UnixNano())
	return p
}

func ownOfImage(p *process) *process {
	p.stat.Ctim = syscall.NsecToTimespec(containerStart.Add(-time.Hour).UnixNano())
	return p
}

func TestFromTheFindingToTheProcess(t *testing.T) {
	r := request{Binaries: []file{{Path: "/tmp/x"}, {Path: "/bin/sh"}}, Scripts: []file{{Path: "/tmp/s.sh"}}, Args: []string{"/bin/sh", "-i"}, Pids: []int{1009, 30}, StartedAt: containerStart}
	list := []*process{
		ownOfImage(running(1, 0, "/bin/sh", "/bin/sh", "-c", "serve")),
		running(8, 1, "/tmp/x", "kworker"),
		running(9, 8, "/bin/sleep", "sleep", "9"),
		running(10, 9, "/bin/sleep", "sleep", "9"),
		ownOfImage(running(20, 1, "/bin/sh", "/bin/sh", "serve.sh")),
		ownOfImage(running(21, 1, "/bin/sh", "/bin/sh", "-i")),
		ownOfImage(running(22, 1, "/bin/sh", "sh", "/tmp/s.sh")),
		ownOfImage(running(23, 20, "/bin/worker", "worker")),
		running(30, 1, "/bin/other", "other"),
	}
	found := newMatcher(r).find(scan{processes: list})
	got := map[int][]string{}
	own := []int{}
	for _, m := range found.Matches {
		got[m.Pid] = m.By
		if m.OwnProgram {
			own = append(own, m.Pid)
		}
	}
	want := map[int][]string{1: {"exe", "args"}, 8: {"exe"}, 9: {"descendant"}, 10: {"descendant"}, 20: {"exe", "args"}, 21: {"exe", "args"}, 22: {"exe", "args"}}
	if !reflect.DeepEqual(got, want) || !slices.Equal(own, []int{1, 20}) {
		t.Errorf("%v own %v", got, own)
	}
	if !found.Complete || found.Unread != 0 {
		t.Errorf("%+v", found)
	}
}

func TestTheChildrenOfProcessOneAreNotItsDescendants(t *testing.T) {
	r := request{Binaries: []file{{Path: "/tmp/x"}}}
	found := newMatcher(r).find(scan{processes: []*process{running(1, 0, "/tmp/x"), running(2, 1, "/bin/a"), running(3, 2, "/bin/b")}})
	if len(found.Matches) != 1 || found.Matches[0].Pid != 1 {
		t.Errorf("%+v", found.Matches)
	}
}

func TestAProgramThatCannotBeReadMayBeTheOne(t *testing.T) {
	hidden := running(7, 1, "")
	hidden.programErr = os.ErrPermission
	ended := running(8, 1, "")
	ended.programErr = os.ErrNotExist
	for sha, unread := range map[string]int{"aa": 1, "": 0} {
		r := request{Binaries: []file{{Path: "/tmp/x", SHA256: sha}}}
		found := newMatcher(r).find(scan{processes: []*process{hidden, ended}})
		if found.Unread != unread || found.Complete != (unread == 0) || len(found.Matches) != 0 {
			t.Errorf("%q: %+v", sha, found)
		}
	}
	late := newMatcher(request{}).find(scan{late: true, unread: 3})
	if late.Complete || late.Unread != 3 {
		t.Errorf("%+v", late)
	}
}

func TestTheVerdictNeverSaysGoneOfWhatIsOutOfSight(t *testing.T) {
	with := file{SHA256: "aa"}
	for _, c := range []struct {
		file   findingFile
		unread bool
		want   string
	}{
		{findingFile{file: with, OnDisk: diskFile{State: "gone"}}, false, "gone"},
		{findingFile{file: with, OnDisk: diskFile{State: "gone"}}, true, "unknown"},
		{findingFile{file: with, OnDisk: diskFile{State: "denied"}}, false, "unknown"},
		{findingFile{file: with, OnDisk: diskFile{State: "regular"}}, false, "differs"},
		{findingFile{file: with, OnDisk: diskFile{State: "regular", Matches: true}}, true, "matches"},
		{findingFile{file: with, OnDisk: diskFile{State: "regular"}, Running: []runningFile{{Matches: true}}}, true, "matches"},
		{findingFile{file: with, OnDisk: diskFile{State: "gone"}, Running: []runningFile{{SHA256: "bb"}}}, false, "differs"},
		{findingFile{file: with, OnDisk: diskFile{State: "regular"}}, true, "unknown"},
		{findingFile{file: file{}, OnDisk: diskFile{State: "gone"}}, false, "unknown"},
		{findingFile{file: with, Role: "library", OnDisk: diskFile{State: "gone"}}, true, "gone"},
	} {
		if got := c.file.verdict(c.unread); got != c.want {
			t.Errorf("%+v %v: %s", c.file, c.unread, got)
		}
	}
}

func sleeper(t *testing.T) frozenProcess {
	child := exec.Command("sleep", "60")
	must(t, child.Start())
	t.Cleanup(func() { _ = child.Process.Kill(); _ = child.Wait() })
	return frozenProcess{child.Process.Pid, startOf(child.Process.Pid)}
}

func TestAProcessIsStoppedReadBackAndLetGo(t *testing.T) {
	p := sleeper(t)
	one := stop(match{Pid: p.Pid, StartTicks: p.StartTicks})
	if one.readBack(); one.Outcome != "frozen" || one.State != "T" {
		t.Fatalf("%+v", one)
	}
	f := freezing{Processes: []stopped{one}, Complete: true}
	if c := f.check(); !c.Complete || c.Frozen != 1 {
		t.Errorf("%+v", c)
	}
	if done := thaw([]frozenProcess{p}); done.Thawed != 1 || !done.Complete {
		t.Errorf("%+v", done)
	}
	if c := f.check(); c.Complete || c.Frozen != 0 {
		t.Errorf("it goes on, and is said to be frozen: %+v", c)
	}
}

// A traced process goes on when its tracer says so: that it stands still now proves nothing.
func TestATracedProcessIsNotFrozen(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	child := exec.Command("sleep", "60")
	child.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	must(t, child.Start())
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	for stateOf(procPath(child.Process.Pid, "")) != "t" {
		time.Sleep(time.Millisecond)
	}
	one := stop(match{Pid: child.Process.Pid, StartTicks: startOf(child.Process.Pid)})
	if one.readBack(); one.Outcome != "running" || one.Why != "traced" {
		t.Errorf("%+v", one)
	}
}

func TestAnotherProcessOfTheSameNumberIsLeftAlone(t *testing.T) {
	p := sleeper(t)
	one := stop(match{Pid: p.Pid, StartTicks: p.StartTicks + 1})
	time.Sleep(20 * time.Millisecond) // a signal needs its time
	if one.readBack(); one.Outcome != "gone" || standing(p.Pid) == "T" {
		t.Errorf("%+v, it is %s", one, standing(p.Pid))
	}
	if done := thaw([]frozenProcess{{p.Pid, p.StartTicks + 1}}); done.Processes[0].Outcome != "other_process" || done.Thawed != 0 {
		t.Errorf("%+v", done)
	}
	if done := thaw([]frozenProcess{{1 << 22, 5}}); done.Processes[0].Outcome != "gone" {
		t.Errorf("%+v", done)
	}
}

func TestProcessOneIsImpossibleAndTheWorkloadsOwnIsNotTried(t *testing.T) {
	found := matches{Complete: true, Matches: []match{{Pid: 1}, {Pid: 1 << 22, OwnProgram: true}}}
	done := map[int]stopped{}
	stopNew(found, done)
	if done[1].Outcome != "impossible" || done[1<<22].Outcome != "own_program" || stopNew(found, done) {
		t.Errorf("%+v", done)
	}
	if (errnoName(errors.New("x")) != "error") || errnoName(syscall.Errno(999)) != "E999" {
		t.Error("errno")
	}
}
