package main

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"time"
)

const (
	frameLimit    = 1 << 20
	documentLimit = 4 << 20
)

// frames is the stream of what was seen: documents, artefacts, an end with length and hash.
type frames struct {
	sealer *sealer
	digest hash.Hash
	length int64
	denied denials
	err    error
}

func newFrames(s *sealer) *frames {
	return &frames{sealer: s, digest: sha256.New(), denied: denials{}}
}

func (f *frames) frame(kind byte, payload []byte) {
	head := make([]byte, 5)
	head[0] = kind
	binary.BigEndian.PutUint32(head[1:], uint32(len(payload)))
	f.write(head)
	f.write(payload)
}

// write keeps the first error: after it nothing more leaves.
func (f *frames) write(data []byte) {
	if f.err != nil {
		return
	}
	f.digest.Write(data)
	f.length += int64(len(data))
	_, f.err = f.sealer.Write(data)
}

func (f *frames) flush() {
	if f.err == nil {
		f.err = f.sealer.flush()
	}
}

func (f *frames) json(kind byte, value any) { f.frame(kind, encoded(value)) }

// send writes a document and flushes it: it is known as soon as it is there.
func (f *frames) send(document any) {
	f.json('J', document)
	f.flush()
}

// sendList writes a document of a list, as much of the list as fits.
func sendList[T any](f *frames, list []T, leftOff int, document func(list []T, leftOff int) any) {
	for kept := len(list); ; kept /= 2 {
		data := encoded(document(list[:kept], leftOff+len(list)-kept))
		if len(data) <= documentLimit || kept == 0 {
			f.frame('J', data)
			f.flush()
			return
		}
	}
}

type endOfAll struct {
	Length int64          `json:"length"`
	SHA256 string         `json:"sha256"`
	Denied map[string]int `json:"denied"`
	TookMs int64          `json:"took_ms"`
}

// end writes the last frame and the last chunk.
func (f *frames) end(took time.Duration) error {
	f.json('Z', endOfAll{f.length, hex.EncodeToString(f.digest.Sum(nil)), f.denied, took.Milliseconds()})
	if f.err != nil {
		return f.err
	}
	return f.sealer.close()
}

// encoded is the JSON of a document; none of ours can fail, and bytes that are not UTF-8 become U+FFFD.
func encoded(value any) []byte {
	data, _ := json.Marshal(value)
	return data
}
