package main

import (
	"crypto/ecdh"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"path"
	"slices"
	"strings"
	"time"
)

const (
	requestLimit = 8192
	filesOfAKind = 16
)

// file is one of the finding's: a program, a script or a library.
type file struct {
	Path       string `json:"path"`
	SHA256     string `json:"sha256"`
	HashedSize int64  `json:"hashed_size"`
	Size       int64  `json:"size"`
}

// partial: the finding's hash is of the first bytes alone.
func (f file) partial() bool { return f.HashedSize > 0 && f.HashedSize < f.Size }

// prefix is how many first bytes the finding's hash covers; 0: all.
func (f file) prefix() int64 {
	if f.partial() {
		return f.HashedSize
	}
	return 0
}

// fits: a file of this size can have the finding's hash.
func (f file) fits(size int64) bool {
	if f.SHA256 == "" {
		return false
	}
	if f.partial() {
		return size >= f.HashedSize
	}
	whole := max(f.Size, f.HashedSize)
	return whole == 0 || whole == size
}

func (f file) is(d digest) bool {
	if f.SHA256 == "" {
		return false
	}
	return f.partial() && d.Prefix == f.SHA256 || !f.partial() && d.Whole == f.SHA256
}

type frozenProcess struct {
	Pid        int   `json:"pid"`
	StartTicks int64 `json:"start_ticks"`
}

// request is what the finding says, and so what is looked for.
type request struct {
	Binaries  []file          `json:"binaries"`
	Scripts   []file          `json:"scripts"`
	Libraries []file          `json:"libraries"`
	Args      []string        `json:"args"`
	Pids      []int           `json:"pids"`
	EventTime time.Time       `json:"event_time"`
	StartedAt time.Time       `json:"started_at"`
	Frozen    []frozenProcess `json:"frozen"`
	digest    string
}

// requestOf reads the argument. Its words are an attacker's: they are compared, never run.
func requestOf(argument string) (request, error) {
	var r request
	if len(argument) > requestLimit {
		return r, errors.New("request is longer than 8192 characters")
	}
	data, err := base64.RawURLEncoding.DecodeString(argument)
	if err != nil {
		return r, errors.New("request is not base64url")
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return r, errors.New("request is not the JSON of a request")
	}
	sum := sha256.Sum256(data)
	r.digest = hex.EncodeToString(sum[:])
	for _, list := range []*[]file{&r.Binaries, &r.Scripts, &r.Libraries} {
		*list = kept(*list)
	}
	return r, nil
}

// kept are the files that can be looked for, in one spelling.
func kept(list []file) []file {
	files := slices.DeleteFunc(list, func(f file) bool { return !path.IsAbs(f.Path) })
	for i := range files {
		files[i].Path = path.Clean(files[i].Path)
		files[i].SHA256 = strings.ToLower(files[i].SHA256)
	}
	return files[:min(len(files), filesOfAKind)]
}

// programs are the files that a process can be: binaries, and scripts that are started by their own name.
func (r request) programs() []file { return append(slices.Clone(r.Binaries), r.Scripts...) }

func keyOf(argument string) (*ecdh.PublicKey, error) {
	data, err := base64.RawURLEncoding.DecodeString(argument)
	if err != nil || len(argument) != 43 {
		return nil, errors.New("key is not 43 characters of base64url")
	}
	key, err := ecdh.X25519().NewPublicKey(data)
	if err != nil {
		return nil, errors.New("key is not an X25519 public key")
	}
	return key, nil
}
