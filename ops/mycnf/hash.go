package mycnf

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"maps"
	"slices"
	"strings"
)

// hashLength is 10 characters of 5 bits: two configurations of one database never meet in it by chance.
const hashLength = 10

// Hash is a short hash of files and their names, fit for the name of a Kubernetes object. Names and contents go in with
// their lengths, so that no two sets of files read alike.
func Hash(files map[string][]byte) string {
	h := sha256.New()
	write := func(b []byte) {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(b))))
		h.Write(b)
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		write([]byte(file))
		write(files[file])
	}
	return strings.ToLower(base32.StdEncoding.EncodeToString(h.Sum(nil)))[:hashLength]
}
