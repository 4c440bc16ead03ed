package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

const (
	artefactsTotal = 256 << 20
	artefactStall  = 10 * time.Second // without a byte
	smallLimit     = 1 << 20          // of a file that an attacker may have changed
	databaseLimit  = 16 << 20
)

// emptySHA256 is the hash of no bytes: a file that is too large is named, and none of it sent.
const emptySHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

type artefactBegin struct {
	ID     string `json:"id"`
	Role   string `json:"role"`
	Path   string `json:"path"`
	Pid    int    `json:"pid"`
	ByPath bool   `json:"by_path"`
	Size   int64  `json:"size"`
}

type artefactEnd struct {
	ID       string `json:"id"`
	Length   int64  `json:"length"`
	SHA256   string `json:"sha256"`
	Complete bool   `json:"complete"`
	Why      string `json:"why"`
}

// artefact is a file that is to be sent whole.
type artefact struct {
	artefactBegin
	limit int64
	open  func() (*os.File, error)
}

// artefacts sends files, each content once, up to a total.
type artefacts struct {
	out   *frames
	until time.Time
	room  int64
	count int
	sent  map[content]string
}

func newArtefacts(out *frames, until time.Time) *artefacts {
	return &artefacts{out: out, until: until, room: artefactsTotal, sent: map[content]string{}}
}

// send writes a file's bytes between its begin and its end, and gives its id; "" where it could not be opened.
func (a *artefacts) send(one artefact) string {
	f, err := timed(processLimit, one.open)
	if err != nil {
		a.out.denied.add("artefact", err)
		return ""
	}
	stat, err := statOf(f)
	if err != nil {
		f.Close()
		return ""
	}
	if id := a.sent[contentOf(stat, 0)]; id != "" {
		f.Close()
		return id
	}
	a.count++
	one.ID, one.Size = fmt.Sprintf("a%d", a.count), stat.Size
	a.sent[contentOf(stat, 0)] = one.ID
	a.out.json('A', one.artefactBegin)
	end := artefactEnd{SHA256: emptySHA256, Why: "size_limit"}
	if stat.Size <= min(one.limit, a.room) {
		end = a.copy(f, min(one.limit, a.room))
	} else {
		f.Close()
	}
	end.ID = one.ID
	if end.Why == "" && end.Length != stat.Size {
		end.Why = "changed"
	}
	if end.Why == "size_limit" && stat.Size <= one.limit {
		end.Why = "total_limit"
	}
	end.Complete = end.Why == ""
	a.out.json('E', end)
	a.out.flush()
	return one.ID
}

// part is what one read gave.
type part struct {
	data []byte
	err  error
}

// copy sends the bytes as they are read. The reader is a task of its own: a read that never ends does not hold us up.
func (a *artefacts) copy(f *os.File, limit int64) artefactEnd {
	var end artefactEnd
	sum := sha256.New()
	parts, enough := make(chan part), make(chan struct{})
	defer close(enough)
	go readParts(f, limit, parts, enough)
	for a.out.err == nil {
		wait := time.NewTimer(min(artefactStall, max(time.Until(a.until), 0)))
		select {
		case p := <-parts:
			wait.Stop()
			if len(p.data) > 0 {
				sum.Write(p.data)
				a.out.frame('D', p.data)
				end.Length += int64(len(p.data))
				a.room -= int64(len(p.data))
			}
			if p.err != nil {
				return ended(end, sum.Sum(nil), p.err)
			}
		case <-wait.C:
			return ended(end, sum.Sum(nil), errLate)
		}
	}
	return end
}

func ended(end artefactEnd, sum []byte, err error) artefactEnd {
	end.SHA256 = hex.EncodeToString(sum)
	if !errors.Is(err, io.EOF) {
		end.Why = why(err)
	}
	return end
}

// readParts reads a file piece by piece, up to a limit, and closes it.
func readParts(f *os.File, limit int64, parts chan<- part, enough <-chan struct{}) {
	defer f.Close()
	for read := int64(0); ; {
		buffer := make([]byte, 1<<16)
		count, err := f.Read(buffer)
		if err == nil && read+int64(count) > limit {
			count, err = int(limit-read), errSizeLimit
		}
		read += int64(count)
		select {
		case parts <- part{buffer[:count], err}:
		case <-enough:
			return
		}
		if err != nil {
			return
		}
	}
}
