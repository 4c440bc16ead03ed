// Collector looks into a container from beside it, and cuts its connections. README.md says what it is asked and what
// it answers.
package main

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	terminationLog   = "/dev/termination-log"
	terminationLimit = 680
	prSetDumpable    = 4
)

// options are the arguments.
type options struct {
	mode            string
	freeze, sockets bool
	key             *ecdh.PublicKey
	request         request
}

// optionsOf reads one of the forms of README.md, and no other.
func optionsOf(args []string) (options, error) {
	if len(args) == 0 || !slices.Contains([]string{"cut", "look", "thaw"}, args[0]) {
		return options{}, errors.New("the first argument is cut, look or thaw")
	}
	o := options{mode: args[0]}
	rest := args[1:]
	if o.mode == "look" {
		o.freeze, rest = taken(rest, "-freeze")
		if o.freeze {
			o.sockets, rest = taken(rest, "-sockets")
		}
	}
	values := 2
	if o.mode == "cut" {
		values = 1
	}
	if len(rest) != values || !strings.HasPrefix(rest[0], "-key=") {
		return options{}, errors.New("-key=K is missing, or there is too much")
	}
	var err error
	if o.key, err = keyOf(strings.TrimPrefix(rest[0], "-key=")); err != nil || values == 1 {
		return o, err
	}
	word, ok := strings.CutPrefix(rest[1], "-request=")
	if !ok {
		return options{}, errors.New("-request=R is missing")
	}
	o.request, err = requestOf(word)
	return o, err
}

func taken(args []string, flag string) (bool, []string) {
	if len(args) > 0 && args[0] == flag {
		return true, args[1:]
	}
	return false, args
}

func main() { os.Exit(run(os.Args[1:])) }

// run is the whole program; it gives the exit code.
func run(args []string) int {
	// Nobody of our own user may read the key out of us, or write into our answer.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, prSetDumpable, 0, 0)
	o, err := optionsOf(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "collector:", err)
		return 2
	}
	sealed, err := newSealer(os.Stdout, o.key)
	if err != nil {
		fmt.Fprintln(os.Stderr, "collector: the answer cannot be written")
		return 1
	}
	out := newFrames(sealed)
	words := o.do(out)
	err = out.end(time.Since(began))
	words = append(words, count("denied", total(out.denied)), fmt.Sprint("length=", out.length), "whole="+yes(err == nil))
	summary(words)
	if err != nil {
		return 1
	}
	return 0
}

// do is one of the three jobs. It gives the words of the summary.
func (o options) do(out *frames) []string {
	switch o.mode {
	case "cut":
		out.send(runOf(o, o.request, 0))
		c := cut("namespace", cutWatch, func(socket) bool { return true })
		out.send(c)
		return []string{"cut", count("found", c.Found), count("destroyed", c.Destroyed), count("left", c.LeftCount), "complete=" + yes(c.Complete)}
	case "thaw":
		out.send(runOf(o, o.request, 0))
		t := thaw(o.request.Frozen)
		out.send(t)
		return []string{"thaw", count("thawed", t.Thawed), "complete=" + yes(t.Complete)}
	}
	l := look(out, o.request, o)
	return []string{"look", count("matched", len(l.found.Matches)), count("unread", l.found.Unread), count("frozen", l.frozen.Frozen),
		"freeze_complete=" + yes(l.frozen.Complete), count("processes", len(l.scan.processes))}
}

func count(word string, number int) string { return fmt.Sprintf("%s=%d", word, number) }

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

func total(d denials) int {
	sum := 0
	for _, count := range d {
		sum += count
	}
	return sum
}

// summary is for whom the log is not there for: words and counts, nothing that an attacker chose.
func summary(words []string) {
	line := strings.Join(words, " ")
	f, err := os.OpenFile(terminationLog, os.O_WRONLY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer f.Close()
	_, _ = f.WriteString(line[:min(len(line), terminationLimit)])
}
