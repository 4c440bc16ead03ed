package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
)

const (
	header    = "SCCR1 "
	chunkSize = 9000 // sealed and in base64 below the 16 KiB at which the kubelet's runtime splits a line
	keyInfo   = "scc-responder collector 1"
)

// sealer is a writer of sealed lines: what is written to it can be read with the case's private key alone.
type sealer struct {
	out    io.Writer
	aead   cipher.AEAD
	number uint64
	buffer []byte
}

// newSealer writes the first line, with the sender's public key.
func newSealer(out io.Writer, caseKey *ecdh.PublicKey) (*sealer, error) {
	own, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return sealerOf(out, caseKey, own)
}

func sealerOf(out io.Writer, caseKey *ecdh.PublicKey, own *ecdh.PrivateKey) (*sealer, error) {
	shared, err := own.ECDH(caseKey)
	if err != nil {
		return nil, err
	}
	public := own.PublicKey().Bytes()
	aead, err := aeadOf(shared, public, caseKey.Bytes())
	if err != nil {
		return nil, err
	}
	_, err = io.WriteString(out, header+base64.RawURLEncoding.EncodeToString(public)+"\n")
	return &sealer{out: out, aead: aead, buffer: make([]byte, 0, chunkSize)}, err
}

func aeadOf(shared, sender, receiver []byte) (cipher.AEAD, error) {
	salt := append(append([]byte{}, sender...), receiver...)
	key, err := hkdf.Key(sha256.New, shared, salt, keyInfo, 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

func (s *sealer) Write(data []byte) (int, error) {
	for rest := data; len(rest) > 0; {
		taken := min(len(rest), chunkSize-len(s.buffer))
		s.buffer, rest = append(s.buffer, rest[:taken]...), rest[taken:]
		if len(s.buffer) == chunkSize {
			if err := s.chunk(0); err != nil {
				return 0, err
			}
		}
	}
	return len(data), nil
}

// flush seals what is there, however little.
func (s *sealer) flush() error {
	if len(s.buffer) == 0 {
		return nil
	}
	return s.chunk(0)
}

// close writes the last chunk: without it the stream is known to be cut off.
func (s *sealer) close() error { return s.chunk(1) }

func (s *sealer) chunk(last byte) error {
	nonce := make([]byte, s.aead.NonceSize())
	binary.BigEndian.PutUint64(nonce[4:], s.number)
	s.number++
	sealed := s.aead.Seal(nil, nonce, s.buffer, []byte{last})
	s.buffer = s.buffer[:0]
	_, err := io.WriteString(s.out, base64.StdEncoding.EncodeToString(sealed)+"\n")
	return err
}
