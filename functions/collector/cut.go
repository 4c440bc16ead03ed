package main

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	cutLimit     = 3 * time.Second
	cutWatch     = 2 * time.Second // a deny-all that was just written may take as long to be a rule of the node
	cutPause     = 10 * time.Millisecond
	cutListLimit = 1000
	stubborn     = 4 // rounds after which what is no TCP connection is known not to go
	tcpStates    = 1<<1 | 1<<2 | 1<<3 | 1<<4 | 1<<5 | 1<<8 | 1<<9 | 1<<11 | 1<<12
	udpStates    = 1<<stateEstablished | 1<<stateClose
)

var diagKinds = []struct {
	name             string
	family, protocol byte
	states           uint32
}{
	{"tcp", syscall.AF_INET, syscall.IPPROTO_TCP, tcpStates}, {"tcp6", syscall.AF_INET6, syscall.IPPROTO_TCP, tcpStates},
	{"udp", syscall.AF_INET, syscall.IPPROTO_UDP, udpStates}, {"udp6", syscall.AF_INET6, syscall.IPPROTO_UDP, udpStates},
}

// Sockets by which a process goes on talking, and that nobody can end from outside.
var endless = []string{"raw", "raw6", "icmp", "icmp6", "udplite", "udplite6", "packet", "sctp/assocs"}

// cutting is what was ended, and what is left.
type cutting struct {
	Name       string         `json:"name"`
	Scope      string         `json:"scope"`
	BeganAt    string         `json:"began_at"`
	EndedAt    string         `json:"ended_at"`
	WatchedMs  int64          `json:"watched_ms"`
	Rounds     int            `json:"rounds"`
	Found      int            `json:"found"`
	Destroyed  int            `json:"destroyed"`
	Internal   int            `json:"internal"`
	Errors     map[string]int `json:"errors"`
	Unseen     map[string]int `json:"unseen"`
	Complete   bool           `json:"complete"`
	SeveredAt  string         `json:"severed_at"`
	Cut        []socket       `json:"cut"`
	CutLeftOff int            `json:"cut_left_off"`
	Left       []socket       `json:"left"`
	LeftCount  int            `json:"left_count"`
	found      map[string]bool
	internal   map[string]bool
	ended      map[string]bool
}

// open is a socket of a list; without `diag` it cannot be ended.
type open struct {
	socket
	diag *diagSocket
}

// connected: bytes may have passed. What only asks for a connection is ended, and shows none that was made again.
func (o open) connected() bool { return o.State != "syn_sent" }

func (o open) key() string { return o.Protocol + " " + o.Local + " " + o.Remote }

// inside: both ends are in the pod. Such a connection reaches nobody, and its owner makes it again at once.
func (o open) inside() bool {
	local, lerr := netip.ParseAddrPort(o.Local)
	remote, rerr := netip.ParseAddrPort(o.Remote)
	if lerr != nil || rerr != nil {
		return false
	}
	from, to := local.Addr().Unmap(), remote.Addr().Unmap()
	if o.State == "unconnected" {
		return from.IsLoopback()
	}
	return to.IsLoopback() || from == to && !to.IsUnspecified()
}

// cut ends every socket that is ours to end, and looks again until none is left, and on for as long as `watch`, or until
// the time is over: what was made again meanwhile is ended too.
func cut(scope string, watch time.Duration, ours func(socket) bool) cutting {
	began := time.Now()
	c := cutting{Name: "cut", Scope: scope, BeganAt: at(began), Errors: map[string]int{}, Cut: []socket{},
		found: map[string]bool{}, internal: map[string]bool{}, ended: map[string]bool{}}
	for {
		over, took := c.round(ours), time.Since(began)
		if over && took >= watch || took >= cutLimit {
			break
		}
		time.Sleep(cutPause)
	}
	if c.Complete = c.SeveredAt != ""; c.Complete {
		c.Left = []socket{}
	}
	c.EndedAt, c.WatchedMs = at(time.Now()), time.Since(began).Milliseconds()
	c.Found, c.Internal, c.Destroyed = len(c.found), len(c.internal), len(c.ended)
	c.LeftCount = len(c.Left)
	c.Left = c.Left[:min(len(c.Left), cutListLimit)]
	return c
}

// round is one look and one cut. It says whether another makes sense: the first look is never the last.
func (c *cutting) round(ours func(socket) bool) (over bool) {
	began := time.Now()
	c.Rounds++
	c.Unseen, c.Left = map[string]int{}, []socket{}
	var list []open
	for _, o := range c.listed() {
		if !ours(o.socket) {
			continue
		}
		if o.inside() {
			c.inner(o)
			continue
		}
		c.found[o.key()] = true
		c.Left = append(c.Left, o.socket)
		list = append(list, o)
	}
	clean := len(list) == 0 && len(c.Unseen) == 0 && c.Rounds > 1
	switch {
	case len(c.Unseen) > 0 || slices.ContainsFunc(list, open.connected):
		c.SeveredAt = ""
	case clean && c.SeveredAt == "":
		c.SeveredAt = at(began)
	}
	for _, o := range list {
		c.end(o)
	}
	return c.SeveredAt != "" || c.Rounds >= stubborn && !slices.ContainsFunc(list, func(o open) bool { return strings.HasPrefix(o.Protocol, "tcp") })
}

// inner ends a connection inside the pod once.
func (c *cutting) inner(o open) {
	if c.Rounds == 1 {
		c.internal[o.key()] = true
		if o.diag != nil {
			_ = destroySocket(*o.diag)
		}
	}
}

func (c *cutting) end(o open) {
	if o.diag == nil {
		return
	}
	err := destroySocket(*o.diag)
	if err != nil && !errors.Is(err, syscall.ENOENT) {
		c.Errors[o.Protocol+" "+errnoName(err)]++
		return
	}
	if c.ended[o.key()] {
		return
	}
	c.ended[o.key()] = true
	if len(c.Cut) < cutListLimit {
		c.Cut = append(c.Cut, o.socket)
	} else {
		c.CutLeftOff++
	}
}

// listed is every socket that can carry bytes to another host; a kind that could not be listed is unseen.
func (c *cutting) listed() []open {
	var list []open
	for _, k := range diagKinds {
		some, err := dumpSockets(k.family, k.protocol, k.states)
		for i := range some {
			list = append(list, open{some[i].document(k.name), &some[i]})
		}
		if err != nil {
			c.Errors[k.name+" list "+errnoName(err)]++
			list = append(list, c.fromProc(k.name)...)
		}
	}
	for _, name := range endless {
		list = append(list, c.fromProc(name)...)
	}
	return list
}

// fromProc lists what the kernel's own list does not give; these are left, since nothing ends them.
func (c *cutting) fromProc(name string) []open {
	some, err := netSockets(name)
	if err != nil && why(err) != "gone" {
		c.Unseen[name+" "+errnoName(err)]++
	}
	var list []open
	for _, s := range some {
		if s.State != "listen" && s.State != "time_wait" && s.State != "close" {
			list = append(list, open{socket: s})
		}
	}
	return list
}

func (d diagSocket) document(name string) socket {
	return socket{name, stateName(name, int(d.state)), d.local().String(), d.remote().String(), uint64(d.inode), int(d.uid), []int{}, ""}
}
