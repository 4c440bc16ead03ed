// One static program for the images of the real node and for the world outside it.
//
//	workload pause                        holds a pod's namespaces
//	workload wait                         ends after 2.5 s
//	workload server ADDRESS [OPTION...]   a service that is attacked when it gets SIGUSR1: it writes /tmp/kworkerd, which is
//	                                      no file of its image, and starts it with the same arguments, as `threat`
//	workload threat ADDRESS [OPTION...]   sends a heartbeat every 20 ms on one connection, and dials a new one every 20 ms
//	workload idle                         does nothing, and does not end on SIGTERM
//	workload outside ADDRESS              accepts, and prints what arrives: "MILLISECONDS beat|new POD"
//
// Options: deaf (SIGTERM does not end it); quiet (dials no new connections); unlink, child, rename, kill, stop, forge and
// flood are what the attacker does, see attack.go.
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const every = 20 * time.Millisecond

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: workload pause | wait | idle | server | threat | outside ADDRESS [OPTION...]")
		os.Exit(2)
	}
	// Their bytes stand on the stack, where `rename` overwrites them.
	for index, argument := range os.Args {
		os.Args[index] = strings.Clone(argument)
	}
	options := os.Args[min(len(os.Args), 3):]
	switch os.Args[1] {
	case "pause":
		pause()
	case "wait":
		time.Sleep(2500 * time.Millisecond)
	case "server":
		server(os.Args[2:], options)
	case "threat":
		threat(os.Args[2], options)
	case "idle":
		signal.Ignore(syscall.SIGTERM)
		for {
			time.Sleep(time.Hour)
		}
	case "outside":
		outside(os.Args[2])
	}
}

// The first process of a pod's sandbox: it reaps, and ends when asked.
func pause() {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGCHLD)
	for s := range signals {
		if s != syscall.SIGCHLD {
			os.Exit(0)
		}
		reap()
	}
}

func reap() {
	for {
		if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
			return
		}
	}
}

// A first process of a container ends on SIGTERM only if it says so itself.
func server(arguments, options []string) {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGCHLD)
	fmt.Println("serving")
	for s := range signals {
		switch {
		case s == syscall.SIGUSR1:
			fail(infect(arguments))
		case s == syscall.SIGCHLD:
			reap()
		case !slices.Contains(options, "deaf"):
			os.Exit(143)
		}
	}
}

func threat(address string, options []string) {
	if slices.Contains(options, "deaf") {
		signal.Ignore(syscall.SIGTERM)
	} else {
		go endOnTerm()
	}
	attack(options)
	fmt.Println("threat to", address)
	if !slices.Contains(options, "quiet") {
		go dial(address)
	}
	beat(address)
}

func endOnTerm() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	<-signals
	os.Exit(143)
}

// The pod's name, which is its host name but for a pod on the host's network.
func name() string {
	if name := os.Getenv("POD"); name != "" {
		return name
	}
	name, _ := os.Hostname()
	return name
}

func beat(address string) {
	for ; ; time.Sleep(every) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		for err == nil {
			_, err = fmt.Fprintln(c, "beat", name())
			time.Sleep(every)
		}
		if c != nil {
			c.Close()
		}
	}
}

func dial(address string) {
	for ; ; time.Sleep(every) {
		c, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err == nil {
			fmt.Fprintln(c, "new", name())
			c.Close()
		}
	}
}

func outside(address string) {
	listener, err := net.Listen("tcp", address)
	fail(err)
	var lock sync.Mutex
	say := func(what string) {
		lock.Lock()
		defer lock.Unlock()
		fmt.Println(time.Now().UnixMilli(), what)
	}
	for {
		c, err := listener.Accept()
		fail(err)
		go func() {
			defer c.Close()
			for lines := bufio.NewScanner(c); lines.Scan(); {
				say(lines.Text())
			}
		}()
	}
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
