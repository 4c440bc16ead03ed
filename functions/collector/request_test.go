package main

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

func requestText(t testing.TB, value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

func TestTheFormsOfTheArgumentsAndNoOther(t *testing.T) {
	key := "-key=" + base64.RawURLEncoding.EncodeToString(newKey(t).PublicKey().Bytes())
	asked := "-request=" + requestText(t, request{})
	good := [][]string{{"cut", key}, {"look", key, asked}, {"look", "-freeze", key, asked},
		{"look", "-freeze", "-sockets", key, asked}, {"thaw", key, asked}}
	for _, args := range good {
		if _, err := optionsOf(args); err != nil {
			t.Errorf("%v: %v", args[:len(args)-1], err)
		}
	}
	bad := [][]string{nil, {}, {"cut"}, {"look", key}, {"look", asked, key}, {"look", "-sockets", key, asked}, {"cut", "-freeze", key},
		{"cut", key, asked}, {"thaw", "-freeze", key, asked}, {"look", key, asked, "x"}, {"run", key}, {"cut", key + "A"},
		{"cut", "-key="}, {"look", key, "-request=" + requestText(t, request{Args: []string{strings.Repeat("x", requestLimit)}})}, {"look", key, "-request=%"}, {"look", key, "-request=AAAA"}}
	for _, args := range bad {
		if _, err := optionsOf(args); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

func TestFilesAreHeldToAFewInOneSpelling(t *testing.T) {
	many := make([]file, 40)
	for i := range many {
		many[i] = file{Path: "/tmp//x/../y", SHA256: "ABCD"}
	}
	r, err := requestOf(requestText(t, request{Binaries: append([]file{{Path: "relative"}}, many...)}))
	if err != nil || len(r.Binaries) != filesOfAKind || r.Binaries[0].Path != "/tmp/y" || r.Binaries[0].SHA256 != "abcd" {
		t.Errorf("%v %d %v", err, len(r.Binaries), r.Binaries[0])
	}
}

func TestWhichSizesCanHaveTheHash(t *testing.T) {
	for _, c := range []struct {
		file file
		size int64
		fits bool
	}{
		{file{SHA256: "a", HashedSize: 10, Size: 10}, 10, true},
		{file{SHA256: "a", HashedSize: 10, Size: 10}, 11, false},
		{file{SHA256: "a", HashedSize: 10, Size: 100}, 10, true},
		{file{SHA256: "a", HashedSize: 10, Size: 100}, 9, false},
		{file{SHA256: "a"}, 12345, true},
		{file{SHA256: "a", Size: 10}, 11, false},
		{file{SHA256: ""}, 10, false},
	} {
		if c.file.fits(c.size) != c.fits {
			t.Errorf("%+v of %d bytes", c.file, c.size)
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(requestText(f, request{Binaries: []file{{Path: "/x", SHA256: "00", Size: 1}}, Args: []string{"a"}, Pids: []int{1}}))
	f.Add("e30")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := requestOf(text)
		if err == nil && (len(r.Binaries) > filesOfAKind || len(r.digest) != 64) {
			t.Errorf("%+v", r)
		}
	})
}
