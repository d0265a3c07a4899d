package mycnf

import (
	"math/rand/v2"
	"strings"
	"testing"

	"gopkg.in/ini.v1"
)

// TestPlainKeysAreTheLibrarys: what is read without the library is what it would read.
func TestPlainKeysAreTheLibrarys(t *testing.T) {
	random, plain := rand.New(rand.NewPCG(1, 2)), 0
	const letters = "aZ09_-.= \t#;:%()[]!&$@/+*,<>|~^?"
	for range 20000 {
		text := []byte{letters[random.IntN(3)]}
		for range random.IntN(12) {
			text = append(text, letters[random.IntN(len(letters))])
		}
		for _, l := range []string{string(text), string(text) + "=", string(text) + " = a value", "key = " + string(text)} {
			l = uncommented(strings.Trim(l, " \t"))
			key, ok := plainKey(l)
			if !ok {
				continue
			}
			plain++
			file, err := ini.LoadSources(syntax, []byte(l))
			if err != nil {
				t.Fatalf("%q: %v", l, err)
			}
			if keys := file.Section(ini.DefaultSection).KeyStrings(); len(keys) != 1 || keys[0] != key {
				t.Fatalf("%q: the key is %q, and %q to the library", l, key, keys)
			}
		}
	}
	if plain < 20000 {
		t.Errorf("only %d lines were compared", plain)
	}
}
