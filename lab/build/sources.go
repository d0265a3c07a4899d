package build

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// hashSources sums up the files that decide a binary of our own: its module's go.mod and go.sum and
// every Go file (tests aside) of its source folders.
func (b *Builder) hashSources(c Component) (string, error) {
	sum := sha256.New()
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := hashFile(sum, filepath.Join(b.Lab, c.Module), name); err != nil {
			return "", err
		}
	}
	for _, folder := range c.Sources {
		root := filepath.Join(b.Lab, folder)
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !isSource(entry.Name()) {
				return err
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return fmt.Errorf("name %s: %w", path, err)
			}
			return hashFile(sum, root, name)
		})
		if err != nil {
			return "", fmt.Errorf("walk %s: %w", root, err)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))[:12], nil
}

func isSource(name string) bool {
	return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") || strings.HasSuffix(name, ".yaml")
}

// hashFile adds a file's name and content, each with its length, so that no two trees look alike.
func hashFile(sum io.Writer, root, name string) error {
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		return fmt.Errorf("read a source file: %w", err)
	}
	_, err = fmt.Fprintf(sum, "%s %d\n%s", filepath.ToSlash(name), len(content), content)
	return err
}
