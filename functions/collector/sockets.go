package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

const (
	socketsLimit  = 4000
	netLinesLimit = 200_000
)

// socket is one of the network namespace, as the documents write it.
type socket struct {
	Protocol string `json:"protocol"`
	State    string `json:"state"`
	Local    string `json:"local"`
	Remote   string `json:"remote"`
	Inode    uint64 `json:"inode"`
	UID      int    `json:"uid"`
	Pids     []int  `json:"pids"`
	Path     string `json:"path"`
}

type sockets struct {
	Name    string   `json:"name"`
	LeftOff int      `json:"left_off"`
	Denied  denials  `json:"denied"`
	Sockets []socket `json:"sockets"`
}

const (
	stateEstablished = 1
	stateClose       = 7
)

var stateNames = []string{"", "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2", "time_wait", "close",
	"close_wait", "last_ack", "listen", "closing", "syn_recv"}

// stateName is the word for a state; what is no TCP and has no peer is unconnected.
func stateName(protocol string, state int) string {
	if state == stateClose && !strings.HasPrefix(protocol, "tcp") {
		return "unconnected"
	}
	if state < 1 || state >= len(stateNames) {
		return "unknown"
	}
	return stateNames[state]
}

var netFiles = []struct {
	protocol string
	parse    func(protocol string, words []string) (socket, bool)
}{
	{"tcp", inetLine}, {"tcp6", inetLine}, {"udp", inetLine}, {"udp6", inetLine}, {"udplite", inetLine},
	{"udplite6", inetLine}, {"raw", inetLine}, {"raw6", inetLine}, {"icmp", inetLine}, {"icmp6", inetLine},
	{"packet", packetLine}, {"sctp/assocs", sctpLine}, {"unix", unixLine},
}

// netSockets reads one list of /proc/net. A list that is not there has no sockets.
func netSockets(protocol string) ([]socket, error) {
	for _, f := range netFiles {
		if f.protocol != protocol {
			continue
		}
		opened, err := os.Open("/proc/self/net/" + protocol)
		if err != nil {
			return nil, err
		}
		defer opened.Close()
		return netLines(opened, protocol, f.parse), nil
	}
	return nil, os.ErrNotExist
}

func netLines(from io.Reader, protocol string, parse func(string, []string) (socket, bool)) []socket {
	lines := bufio.NewScanner(from)
	lines.Scan()
	var list []socket
	for lines.Scan() && len(list) < netLinesLimit {
		if s, ok := parse(protocol, strings.Fields(lines.Text())); ok {
			list = append(list, s)
		}
	}
	return list
}

func inetLine(protocol string, words []string) (socket, bool) {
	if len(words) < 10 {
		return socket{}, false
	}
	local, lerr := hexAddress(words[1])
	remote, rerr := hexAddress(words[2])
	state, serr := strconv.ParseUint(words[3], 16, 8)
	inode, ierr := strconv.ParseUint(words[9], 10, 64)
	if lerr != nil || rerr != nil || serr != nil || ierr != nil {
		return socket{}, false
	}
	return socket{protocol, stateName(protocol, int(state)), local.String(), remote.String(), inode, number(words[7]), []int{}, ""}, true
}

// hexAddress reads an address as the kernel prints it: words of four bytes in the machine's own order.
func hexAddress(text string) (netip.AddrPort, error) {
	host, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(host)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	ip, ok := netip.AddrFromSlice(raw)
	if !ok {
		return netip.AddrPort{}, strconv.ErrSyntax
	}
	number, err := strconv.ParseUint(port, 16, 16)
	return netip.AddrPortFrom(ip, uint16(number)), err
}

func packetLine(protocol string, words []string) (socket, bool) {
	if len(words) < 9 {
		return socket{}, false
	}
	inode, err := strconv.ParseUint(words[8], 10, 64)
	return socket{protocol, "unconnected", "", "", inode, number(words[7]), []int{}, ""}, err == nil
}

func sctpLine(_ string, words []string) (socket, bool) {
	split := slices.Index(words, "<->")
	if split < 14 || len(words) <= split+1 {
		return socket{}, false
	}
	inode, err := strconv.ParseUint(words[10], 10, 64)
	local, remote := strings.Trim(words[13], "*"), strings.Trim(words[split+1], "*")
	return socket{"sctp", "established", local + ":" + words[11], remote + ":" + words[12], inode, number(words[9]), []int{}, ""}, err == nil
}

func unixLine(protocol string, words []string) (socket, bool) {
	if len(words) < 7 {
		return socket{}, false
	}
	inode, err := strconv.ParseUint(words[6], 10, 64)
	return socket{protocol, unixState(words[3], words[5]), "", "", inode, 0, []int{}, strings.Join(words[7:], " ")}, err == nil
}

func unixState(flags, state string) string {
	if flags == "00010000" {
		return "listen"
	}
	return map[string]string{"01": "unconnected", "03": "established"}[state]
}

// lookAtSockets lists all with the processes that have them open; those of a match stand first.
func lookAtSockets(owners map[uint64][]int, denied denials, found []match) (list []socket, doc sockets) {
	doc = sockets{Name: "sockets", Denied: denied}
	for _, f := range netFiles {
		some, err := netSockets(f.protocol)
		doc.Denied.add(f.protocol, err)
		list = append(list, some...)
	}
	for i := range list {
		if pids := owners[list[i].Inode]; pids != nil {
			list[i].Pids = pids
		}
	}
	matched := pidSet(found)
	slices.SortStableFunc(list, func(a, b socket) int { return order(anyIn(a.Pids, matched), anyIn(b.Pids, matched)) })
	doc.LeftOff = max(0, len(list)-socketsLimit)
	return list[:len(list)-doc.LeftOff], doc
}

// order puts what is true first.
func order(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

func pidSet(found []match) map[int]bool {
	set := map[int]bool{}
	for _, m := range found {
		set[m.Pid] = true
	}
	return set
}

func anyIn(pids []int, set map[int]bool) bool {
	return slices.ContainsFunc(pids, func(pid int) bool { return set[pid] })
}
