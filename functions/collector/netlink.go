package main

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"syscall"
)

const (
	netlinkSockDiag  = 4
	sockDiagByFamily = 20
	sockDestroy      = 21
	dumpInterrupted  = 0x10
	requestLength    = 56
	answerLength     = 72
)

var errInterrupted = errors.New("the list changed while it was read")

// diagSocket is a socket as the kernel's own list has it.
type diagSocket struct {
	family, protocol, state byte
	id                      [48]byte
	uid, inode              uint32
}

func (d diagSocket) address(from int) netip.AddrPort {
	port := binary.BigEndian.Uint16(d.id[from/8:]) // the two ports stand first
	if d.family == syscall.AF_INET {
		ip, _ := netip.AddrFromSlice(d.id[4+from : 8+from])
		return netip.AddrPortFrom(ip, port)
	}
	ip, _ := netip.AddrFromSlice(d.id[4+from : 20+from])
	return netip.AddrPortFrom(ip, port)
}

func (d diagSocket) local() netip.AddrPort  { return d.address(0) }
func (d diagSocket) remote() netip.AddrPort { return d.address(16) }

// diag is a connection to the kernel's list of sockets of our network namespace.
type diag struct{ fd int }

func openDiag() (diag, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return diag{-1}, err
	}
	limit := syscall.Timeval{Sec: 1}
	return diag{fd}, syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit)
}

func (d diag) close() { syscall.Close(d.fd) }

func (d diag) send(kind, flags uint16, body []byte) error {
	message := make([]byte, syscall.NLMSG_HDRLEN, syscall.NLMSG_HDRLEN+len(body))
	binary.NativeEndian.PutUint32(message, uint32(syscall.NLMSG_HDRLEN+len(body)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	binary.NativeEndian.PutUint16(message[6:], flags)
	return syscall.Sendto(d.fd, append(message, body...), 0, &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK})
}

// receive calls each with every answer until the last. It gives the kernel's error where there is one.
func (d diag) receive(each func(syscall.NetlinkMessage)) error {
	buffer := make([]byte, 1<<17)
	for {
		count, _, err := syscall.Recvfrom(d.fd, buffer, 0)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		messages, err := syscall.ParseNetlinkMessage(buffer[:count])
		if err != nil {
			return err
		}
		for _, m := range messages {
			if m.Header.Flags&dumpInterrupted != 0 {
				return errInterrupted
			}
			switch m.Header.Type {
			case syscall.NLMSG_DONE:
				return nil
			case syscall.NLMSG_ERROR:
				return errorOf(m.Data)
			}
			each(m)
		}
	}
}

func errorOf(data []byte) error {
	if len(data) < 4 {
		return errInterrupted
	}
	if code := int32(binary.NativeEndian.Uint32(data)); code != 0 {
		return syscall.Errno(-code)
	}
	return nil
}

// dumpSockets lists the sockets of one family and protocol that are in one of the states.
func dumpSockets(family, protocol byte, states uint32) ([]diagSocket, error) {
	d, err := openDiag()
	if err != nil {
		return nil, err
	}
	defer d.close()
	body := make([]byte, requestLength)
	body[0], body[1] = family, protocol
	binary.NativeEndian.PutUint32(body[4:], states)
	if err := d.send(sockDiagByFamily, syscall.NLM_F_REQUEST|syscall.NLM_F_DUMP, body); err != nil {
		return nil, err
	}
	var list []diagSocket
	err = d.receive(func(m syscall.NetlinkMessage) {
		if s, ok := socketOf(m.Data); ok {
			s.protocol = protocol
			list = append(list, s)
		}
	})
	return list, err
}

func socketOf(data []byte) (diagSocket, bool) {
	if len(data) < answerLength {
		return diagSocket{}, false
	}
	s := diagSocket{family: data[0], state: data[1]}
	copy(s.id[:], data[4:52])
	s.uid = binary.NativeEndian.Uint32(data[64:])
	s.inode = binary.NativeEndian.Uint32(data[68:])
	return s, true
}

// destroySocket ends a socket: what its owner does with it next fails, and the other side is told.
func destroySocket(s diagSocket) error {
	d, err := openDiag()
	if err != nil {
		return err
	}
	defer d.close()
	body := make([]byte, requestLength)
	body[0], body[1] = s.family, s.protocol
	binary.NativeEndian.PutUint32(body[4:], ^uint32(0))
	copy(body[8:], s.id[:])
	if err := d.send(sockDestroy, syscall.NLM_F_REQUEST|syscall.NLM_F_ACK, body); err != nil {
		return err
	}
	return d.receive(func(syscall.NetlinkMessage) {})
}
