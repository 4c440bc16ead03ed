// One static program for the images of the real node and for the world outside it.
//
//	workload pause                     holds a pod's namespaces
//	workload wait                      ends after 2.5 s
//	workload threat ADDRESS [deaf]     sends a heartbeat every 20 ms on one connection, and dials a new one every 20 ms;
//	                                   deaf: does not end on SIGTERM
//	workload outside ADDRESS           accepts, and prints what arrives: "MILLISECONDS beat|new POD"
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

const every = 20 * time.Millisecond

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: workload pause | wait | threat ADDRESS [deaf] | outside ADDRESS")
		os.Exit(2)
	}
	switch os.Args[1] {
	case "pause":
		pause()
	case "wait":
		time.Sleep(2500 * time.Millisecond)
	case "threat":
		fmt.Println("threat to", os.Args[2])
		if len(os.Args) > 3 && os.Args[3] == "deaf" {
			signal.Ignore(syscall.SIGTERM)
		} else {
			go endOnTerm()
		}
		go dial(os.Args[2])
		beat(os.Args[2])
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
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
}

// A first process of a container ends on SIGTERM only if it says so itself.
func endOnTerm() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	<-signals
	os.Exit(143)
}

func beat(address string) {
	name, _ := os.Hostname()
	for ; ; time.Sleep(every) {
		c, err := net.DialTimeout("tcp", address, time.Second)
		for err == nil {
			_, err = fmt.Fprintln(c, "beat", name)
			time.Sleep(every)
		}
		if c != nil {
			c.Close()
		}
	}
}

func dial(address string) {
	name, _ := os.Hostname()
	for ; ; time.Sleep(every) {
		c, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err == nil {
			fmt.Fprintln(c, "new", name)
			c.Close()
		}
	}
}

func outside(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	var lock sync.Mutex
	say := func(what string) {
		lock.Lock()
		defer lock.Unlock()
		fmt.Println(time.Now().UnixMilli(), what)
	}
	for {
		c, err := listener.Accept()
		if err != nil {
			os.Exit(1)
		}
		go func() {
			defer c.Close()
			for lines := bufio.NewScanner(c); lines.Scan(); {
				say(lines.Text())
			}
		}()
	}
}
