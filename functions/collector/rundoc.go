package main

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// runDocument says who looked, with which rights, and what for.
type runDocument struct {
	Name          string   `json:"name"`
	Version       int      `json:"version"`
	Mode          string   `json:"mode"`
	Freeze        bool     `json:"freeze"`
	Sockets       bool     `json:"sockets"`
	BeganAt       string   `json:"began_at"`
	Pid           int      `json:"pid"`
	UID           int      `json:"uid"`
	GID           int      `json:"gid"`
	Capabilities  []string `json:"capabilities"`
	Kernel        string   `json:"kernel"`
	Arch          string   `json:"arch"`
	RequestSHA256 string   `json:"request_sha256"`
	TargetPid     int      `json:"target_pid"`
}

var capabilityNames = map[int]string{1: "DAC_OVERRIDE", 5: "KILL", 12: "NET_ADMIN", 19: "SYS_PTRACE", 21: "SYS_ADMIN"}

func runOf(o options, r request, target int) runDocument {
	kernel, _ := bounded("/proc/sys/kernel/osrelease", 256)
	return runDocument{"run", 1, o.mode, o.freeze, o.sockets, at(began), os.Getpid(), os.Getuid(), os.Getgid(),
		ownCapabilities(), strings.TrimSpace(string(kernel)), runtime.GOARCH, r.digest, target}
}

var began = time.Now()

// ownCapabilities are those of ours that matter for what can be seen and done.
func ownCapabilities() []string {
	text, _ := bounded("/proc/self/status", 1<<14)
	p := process{}
	p.status(text)
	mask, _ := strconv.ParseUint(p.Capabilities, 16, 64)
	names := []string{}
	for bit := range 64 {
		if name := capabilityNames[bit]; name != "" && mask&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	return names
}
