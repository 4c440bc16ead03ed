package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	argsLimit     = 4096
	namesLimit    = 256
	ticksASecond  = 100 // USER_HZ, on every architecture of Linux that Kubernetes runs on
	deletedSuffix = " (deleted)"
)

// process is one of the namespace, as it was read.
type process struct {
	Pid                 int      `json:"pid"`
	NSPids              []int    `json:"ns_pids"`
	Parent              int      `json:"parent"`
	StartTicks          int64    `json:"start_ticks"`
	StartedAt           string   `json:"started_at"`
	UID                 int      `json:"uid"`
	GID                 int      `json:"gid"`
	State               string   `json:"state"`
	Comm                string   `json:"comm"`
	Args                []string `json:"args"`
	ArgsCut             bool     `json:"args_cut"`
	Exe                 string   `json:"exe"`
	ExeDeleted          bool     `json:"exe_deleted"`
	SHA256              string   `json:"sha256"`
	Size                int64    `json:"size"`
	HashWhy             string   `json:"hash_why"`
	OnDisk              string   `json:"on_disk_sha256"`
	Cwd                 string   `json:"cwd"`
	Root                string   `json:"root"`
	Capabilities        string   `json:"capabilities"`
	Tracer              int      `json:"tracer"`
	NoNewPrivs          bool     `json:"no_new_privs"`
	Seccomp             int      `json:"seccomp"`
	Cgroup              string   `json:"cgroup"`
	EnvironNames        []string `json:"environ_names"`
	AnonymousExecutable int      `json:"anonymous_executable"`
	Fds                 int      `json:"fds"`
	Denied              []string `json:"denied"`
	base                string
	stat                syscall.Stat_t // of the program
	programErr          error
	maps                []mapping
}

func (p *process) deny(what string, err error) {
	if (denials{}).add(what, err) {
		p.Denied = append(p.Denied, what)
	}
}

// pidsOf are the processes of our namespace but ourselves, in order.
func pidsOf() ([]int, error) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	var pids []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid != os.Getpid() {
			pids = append(pids, pid)
		}
	}
	sort.Ints(pids)
	return pids, err
}

// bounded reads the first bytes of a file of /proc.
func bounded(name string, limit int64) ([]byte, error) {
	f, err := os.OpenFile(name, readFlags, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// readProcess reads what matching needs. An error: there is no such process, or it may not be read.
func readProcess(pid int) (*process, error) {
	p := &process{Pid: pid, base: fmt.Sprintf("/proc/%d", pid), Denied: []string{}, Args: []string{}, EnvironNames: []string{}}
	status, err := bounded(p.base+"/status", 1<<14)
	if err != nil {
		return nil, err
	}
	p.status(status)
	p.statLine()
	p.base = livingThread(p.base, p.State)
	p.comm()
	p.args()
	p.program()
	return p, nil
}

// livingThread is where a process is read whose first thread has ended: its own entry then shows no program.
func livingThread(base, state string) string {
	if state != "Z" {
		return base
	}
	threads, _ := os.ReadDir(base + "/task")
	for _, thread := range threads {
		task := base + "/task/" + thread.Name()
		if letter := stateOf(task); letter != "" && letter != "Z" && letter != "X" {
			return task
		}
	}
	return base
}

func (p *process) status(text []byte) {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(string(line), ":")
		words := strings.Fields(value)
		if len(words) == 0 {
			continue
		}
		switch key {
		case "PPid":
			p.Parent = number(words[0])
		case "State":
			p.State = words[0]
		case "Uid":
			p.UID = number(words[min(1, len(words)-1)])
		case "Gid":
			p.GID = number(words[min(1, len(words)-1)])
		case "NSpid":
			p.NSPids = numbers(words)
		case "CapEff":
			p.Capabilities = words[0]
		case "TracerPid":
			p.Tracer = number(words[0])
		case "NoNewPrivs":
			p.NoNewPrivs = words[0] == "1"
		case "Seccomp":
			p.Seccomp = number(words[0])
		}
	}
}

func number(word string) int {
	n, _ := strconv.Atoi(word)
	return n
}

func numbers(words []string) []int {
	list := make([]int, 0, len(words))
	for _, word := range words {
		list = append(list, number(word))
	}
	return list
}

// statWords are the words of a stat line after the name, which may hold anything.
func statWords(base string) []string {
	text, err := bounded(base+"/stat", 4096)
	end := bytes.LastIndexByte(text, ')')
	if err != nil || end < 0 {
		return nil
	}
	return strings.Fields(string(text[end+1:]))
}

func stateOf(base string) string {
	if words := statWords(base); len(words) > 0 {
		return words[0]
	}
	return ""
}

// startOf tells a process from a later one of the same number; 0: there is none.
func startOf(pid int) int64 {
	words := statWords(fmt.Sprintf("/proc/%d", pid))
	if len(words) < 20 {
		return 0
	}
	ticks, _ := strconv.ParseInt(words[19], 10, 64)
	return ticks
}

func (p *process) statLine() {
	p.StartTicks = startOf(p.Pid)
	p.StartedAt = at(p.started())
}

func (p *process) started() time.Time {
	if bootTime.IsZero() || p.StartTicks == 0 {
		return time.Time{}
	}
	return bootTime.Add(time.Duration(p.StartTicks) * time.Second / ticksASecond)
}

var bootTime = bootTimeOf()

// bootTimeOf counts back from now: finer than the second that /proc/stat tells.
func bootTimeOf() time.Time {
	text, _ := bounded("/proc/uptime", 256)
	word, _, _ := strings.Cut(string(text), " ")
	seconds, err := strconv.ParseFloat(word, 64)
	if err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(seconds * float64(time.Second)))
}

func (p *process) comm() {
	text, err := bounded(p.base+"/comm", 256)
	p.deny("comm", err)
	p.Comm = strings.TrimSuffix(string(text), "\n")
}

func (p *process) args() {
	text, err := bounded(p.base+"/cmdline", argsLimit+1)
	p.deny("cmdline", err)
	p.ArgsCut = len(text) > argsLimit
	text = bytes.TrimSuffix(text[:min(len(text), argsLimit)], []byte{0})
	if len(text) > 0 {
		p.Args = strings.Split(string(text), "\x00")
	}
}

func procPath(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
