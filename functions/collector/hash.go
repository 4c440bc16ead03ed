package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

const fileLimit = 64 << 20

var errSizeLimit = errors.New("larger than is read")

// digest is the SHA-256 of a file, and of its first bytes where a prefix was asked for.
type digest struct {
	Whole, Prefix string
	Read          int64
}

// digestOf reads a file to its end, or to the limit: then there is no hash of the whole.
func digestOf(from io.Reader, prefix, limit int64, until time.Time) (digest, error) {
	var d digest
	sum := sha256.New()
	buffer := make([]byte, 1<<16)
	for {
		room := limit + 1 - d.Read
		if prefix > d.Read {
			room = min(room, prefix-d.Read)
		}
		count, err := from.Read(buffer[:min(int64(len(buffer)), room)])
		sum.Write(buffer[:count])
		d.Read += int64(count)
		if prefix > 0 && d.Read == prefix {
			d.Prefix = hex.EncodeToString(sum.Sum(nil))
		}
		switch {
		case d.Read > limit:
			return d, errSizeLimit
		case errors.Is(err, io.EOF):
			d.Whole = hex.EncodeToString(sum.Sum(nil))
			return d, nil
		case err != nil:
			return d, err
		case time.Now().After(until):
			return d, errLate
		}
	}
}

// content is what a file is known by while it does not change.
type content struct {
	dev, ino         uint64
	size             int64
	modified, change syscall.Timespec
	prefix           int64
}

func contentOf(s syscall.Stat_t, prefix int64) content {
	return content{uint64(s.Dev), s.Ino, s.Size, s.Mtim, s.Ctim, prefix}
}

type hashed struct {
	digest digest
	err    error
}

// hasher reads each file once, however many processes run it, until its time is over.
type hasher struct {
	until time.Time
	limit int64
	known map[content]hashed
}

func newHasher(limit time.Duration, size int64) *hasher {
	return &hasher{time.Now().Add(limit), size, map[content]hashed{}}
}

// more gives it time for another round: what was late is tried again.
func (h *hasher) more(limit time.Duration, size int64) {
	h.until, h.limit = time.Now().Add(limit), size
	for key, is := range h.known {
		if is.err != nil {
			delete(h.known, key)
		}
	}
}

// file hashes an open file and closes it.
func (h *hasher) file(f *os.File, prefix int64) (digest, error) {
	stat, err := statOf(f)
	if err != nil {
		f.Close()
		return digest{}, err
	}
	key := contentOf(stat, prefix)
	if known, ok := h.known[key]; ok {
		f.Close()
		return known.digest, known.err
	}
	until, limit := h.until, h.limit
	d, err := timed(time.Until(until), func() (digest, error) {
		defer f.Close()
		return digestOf(f, prefix, limit, until)
	})
	h.known[key] = hashed{d, err}
	return d, err
}
