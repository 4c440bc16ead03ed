package main

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"
)

// opened reads a stream back; what follows the last chunk, or comes in another order, is an error.
func opened(log string, own *ecdh.PrivateKey) ([]byte, error) {
	lines := strings.Split(strings.TrimSuffix(log, "\n"), "\n")
	sender, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(lines[0], header))
	if err != nil {
		return nil, err
	}
	public, err := ecdh.X25519().NewPublicKey(sender)
	if err != nil {
		return nil, err
	}
	shared, err := own.ECDH(public)
	if err != nil {
		return nil, err
	}
	aead, err := aeadOf(shared, sender, own.PublicKey().Bytes())
	if err != nil {
		return nil, err
	}
	var plain []byte
	for i, line := range lines[1:] {
		sealed, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, 12)
		binary.BigEndian.PutUint64(nonce[4:], uint64(i))
		last := byte(0)
		if i == len(lines)-2 {
			last = 1
		}
		chunk, err := aead.Open(nil, nonce, sealed, []byte{last})
		if err != nil {
			return nil, err
		}
		plain = append(plain, chunk...)
	}
	return plain, nil
}

func newKey(t testing.TB) *ecdh.PrivateKey {
	key, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func TestWhatIsSealedIsOpenedWithTheCasesKeyAlone(t *testing.T) {
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 3 * chunkSize} {
		key, log := newKey(t), &bytes.Buffer{}
		s, err := newSealer(log, key.PublicKey())
		data := bytes.Repeat([]byte("ab\x00"), size)[:size]
		if _, writeErr := s.Write(data); errors.Join(err, writeErr, s.close()) != nil {
			t.Fatal(err, writeErr)
		}
		if plain, err := opened(log.String(), key); err != nil || !bytes.Equal(plain, data) {
			t.Errorf("%d bytes: %d came back, %v", size, len(plain), err)
		}
		if _, err := opened(log.String(), newKey(t)); err == nil {
			t.Error("another key opens it")
		}
		for _, line := range strings.Split(log.String(), "\n") {
			if len(line) > 12_024 {
				t.Errorf("a line of %d characters", len(line))
			}
		}
	}
}

func TestACutOrReorderedStreamDoesNotOpen(t *testing.T) {
	key, log := newKey(t), &bytes.Buffer{}
	s, _ := newSealer(log, key.PublicKey())
	for _, word := range []string{"one", "two", "three"} {
		_, _ = s.Write([]byte(word))
		_ = s.flush()
	}
	_ = s.close()
	lines := strings.SplitAfter(strings.TrimSuffix(log.String(), "\n"), "\n")
	swapped := []string{lines[0], lines[2], lines[1], lines[3], lines[4]}
	for name, list := range map[string][]string{"cut": lines[:4], "swapped": swapped, "one missing": append(lines[:1:1], lines[2:]...)} {
		if _, err := opened(strings.Join(list, ""), key); err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
}

type broken struct{ left int }

func (b *broken) Write(data []byte) (int, error) {
	if b.left--; b.left == -1 { // once: what follows would pass
		return 0, errors.New("no room")
	}
	return len(data), nil
}

func TestAnAnswerThatCannotBeWrittenIsAnError(t *testing.T) {
	s, err := newSealer(&broken{2}, newKey(t).PublicKey())
	out := newFrames(s)
	out.send(map[string]string{"name": "a"})
	out.send(map[string]string{"name": "b"})
	if err != nil || out.end(0) == nil {
		t.Error("it ends as if it were whole")
	}
}

func fixedKey(t *testing.T, seed byte) *ecdh.PrivateKey {
	key, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{seed}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestTheGoldenAnswerIsTheSame: testdata/golden.log is read by other programs, too. The case's private key is 32 times 0x02.
func TestTheGoldenAnswerIsTheSame(t *testing.T) {
	log := &bytes.Buffer{}
	s, err := sealerOf(log, fixedKey(t, 2).PublicKey(), fixedKey(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	out := newFrames(s)
	golden(out)
	want, err := os.ReadFile("testdata/golden.log")
	if os.Getenv("WRITE_GOLDEN") != "" {
		err = os.WriteFile("testdata/golden.log", log.Bytes(), 0o644)
		want = log.Bytes()
	}
	if err != nil || !bytes.Equal(want, log.Bytes()) {
		t.Errorf("testdata/golden.log is another: WRITE_GOLDEN=1 go test writes it (%v)", err)
	}
}
