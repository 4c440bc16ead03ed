package main

import (
	"bytes"
	"os"
	"path/filepath"
	"time"
)

// golden writes one answer of each kind, with nothing in it that differs from run to run.
func golden(out *frames) {
	moment := "2026-11-28T10:00:02.120Z"
	out.denied["environ"] = 1
	out.send(runDocument{"run", 1, "look", true, false, moment, 57, 0, 0, []string{"DAC_OVERRIDE", "KILL", "SYS_PTRACE"}, "6.1.0", "amd64", "00ff", 1})
	out.send(matches{"matches", 3, 0, true, []match{
		{43, 812345, []string{"sha256", "exe", "pid"}, 0, false, true}, {44, 812399, []string{"descendant"}, 43, false, false}}})
	out.send(freezing{Name: "freeze", Asked: true, Rounds: 2, Frozen: 2, Complete: true, FrozenAt: moment, Processes: []stopped{
		{43, 812345, "frozen", "T", ""}, {44, 812399, "frozen", "T", ""}}})
	remote := socket{"tcp", "established", "10.0.0.7:41234", "203.0.113.9:443", 912, 0, []int{43}, ""}
	out.send(cutting{Name: "cut", Scope: "processes", BeganAt: moment, EndedAt: moment, Rounds: 2, Found: 1, Destroyed: 1,
		Errors: map[string]int{}, Unseen: map[string]int{}, Complete: true, SeveredAt: moment, Cut: []socket{remote}, Left: []socket{}})
	out.send(processList{"processes", 0, denials{"environ": 1}, []*process{goldenProcess(moment)}})
	out.send(sockets{"sockets", 0, denials{}, []socket{remote}})
	out.send(mounts{"mounts", 0, denials{}, []mount{{"/", "overlay", "overlay", "/", "rw,relatime", false, 1}, {"/data", "ext4", "/dev/sdb", "/", "rw", true, 2}}})
	out.send(findingFiles{"files", denials{}, []*findingFile{goldenFile()}})
	goldenArtefact(out)
	out.send(mappedFiles{"mapped_files", 0, denials{}, []mappedFile{{"/lib/x.so", false, []int{1}, "aa", 12000, true, ""}}})
	out.send(changedFiles{"changed_files", moment, 8123, 1, 0, true, "", denials{}, []changedFile{
		{"/tmp/\xff<x>.o", "file", 1200, "0644", 0, 0, moment, moment, []string{"compiler_output"}}}})
	tool := ownedBy{"dpkg", "gcc-12", "12.2.0-14", moment}
	out.send(compilers{"compilers", 0, denials{}, []compiler{{"/usr/bin/gcc", "/usr/bin/gcc-12", moment, tool}}})
	out.send(packages{"packages", denials{}, []database{{"dpkg_status", "/var/lib/dpkg/status", 10, moment, moment, ""}}, []ownedBy{tool}, true})
	out.send(freezeCheck{"freeze_check", moment, 2, true})
	_ = out.end(420 * time.Millisecond)
}

func goldenProcess(moment string) *process {
	return &process{Pid: 43, NSPids: []int{43}, Parent: 1, StartTicks: 812345, StartedAt: moment, State: "T", Comm: "kworkerd",
		Args: []string{"/tmp/kworkerd", "--config=/tmp/.c"}, Exe: "/tmp/kworkerd", ExeDeleted: true, SHA256: "bb", Size: 15, Cwd: "/", Root: "/",
		Capabilities: "00000000a80425fb", Cgroup: "0::/x", EnvironNames: []string{"PATH", "DB_PASSWORD"}, Fds: 5, Denied: []string{"environ"}}
}

func goldenFile() *findingFile {
	return &findingFile{Role: "binary", Path: "/tmp/kworkerd", Hash: "matches", Running: []runningFile{{43, "bb", "", true, true}},
		OnDisk: diskFile{State: "gone", Why: "gone"}, Mount: mountPlace{"/", "overlay", false}, Artefact: "a1"}
}

// goldenArtefact has more bytes than a frame, and more than a chunk.
func goldenArtefact(out *frames) {
	folder, err := os.MkdirTemp("", "golden")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	name := filepath.Join(folder, "kworkerd")
	content := bytes.Repeat([]byte("\x7fELF of nobody\n"), 1500)
	if err := os.WriteFile(name, content, 0o600); err != nil {
		panic(err)
	}
	newArtefacts(out, time.Now().Add(time.Hour)).send(artefact{artefactBegin{Role: "binary", Path: "/tmp/kworkerd", Pid: 43}, fileLimit,
		func() (*os.File, error) { return os.Open(name) }})
}
