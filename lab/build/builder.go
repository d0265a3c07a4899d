package build

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// CacheEnv names the environment variable that moves the cache.
const CacheEnv = "DRYDOCK_CACHE"

// heartbeat is how often a long build says that it is still alive.
const heartbeat = 30 * time.Second

// Builder builds missing binaries.
type Builder struct {
	// Lab is the absolute path of the lab module.
	Lab string
	// Cache is the absolute path of the cache.
	Cache string
	// Out receives progress lines.
	Out io.Writer

	goVersion string
}

// New returns a Builder for the lab module at lab, with the cache at its default place: $DRYDOCK_CACHE,
// or drydock-lab in the user's cache folder.
func New(ctx context.Context, lab string, out io.Writer) (*Builder, error) {
	cache := os.Getenv(CacheEnv)
	if cache == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("find the user's cache folder (set %s to choose one): %w", CacheEnv, err)
		}
		cache = filepath.Join(user, "drydock-lab")
	}
	cache, err := filepath.Abs(cache)
	if err != nil {
		return nil, fmt.Errorf("resolve cache folder: %w", err)
	}
	b := &Builder{Lab: lab, Cache: cache, Out: out}
	version, err := b.run(ctx, lab, "env", "GOVERSION")
	if err != nil {
		return nil, fmt.Errorf("ask Go for its version: %w", err)
	}
	b.goVersion = strings.TrimSpace(version)
	return b, nil
}

// Ensure builds what is missing and returns the path of every binary by name. Builds run one after
// another, since each uses all cores, and under a lock, so that two labs that start together share them.
func (b *Builder) Ensure(ctx context.Context, components []Component) (map[string]string, error) {
	if err := os.MkdirAll(b.Cache, 0o755); err != nil {
		return nil, fmt.Errorf("make cache folder: %w", err)
	}
	paths := make(map[string]string, len(components))
	var missing []Component
	for _, c := range components {
		path, err := b.Path(c)
		if err != nil {
			return nil, err
		}
		paths[c.Name] = path
		if !exists(path) {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return paths, nil
	}
	unlock, err := Lock(ctx, filepath.Join(b.Cache, "build.lock"), b.Out, "another lab that builds")
	if err != nil {
		return nil, err
	}
	defer unlock()
	for _, c := range missing {
		if err := b.build(ctx, c, paths[c.Name]); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// Path is where the binary is, or will be: its name carries everything that decides its content.
func (b *Builder) Path(c Component) (string, error) {
	key := []string{c.Name}
	if c.Version != "" {
		key = append(key, c.Version)
	}
	if len(c.Sources) > 0 {
		sum, err := b.hashSources(c)
		if err != nil {
			return "", fmt.Errorf("hash the sources of %s: %w", c.Name, err)
		}
		key = append(key, sum)
	}
	key = append(key, b.goVersion, runtime.GOOS, runtime.GOARCH)
	return filepath.Join(b.Cache, strings.Join(key, "-")), nil
}

// build makes one binary under a temporary name and moves it into place, so that an interrupted build
// leaves nothing that looks finished.
func (b *Builder) build(ctx context.Context, c Component, path string) error {
	if exists(path) { // another lab built it while this one waited for the lock
		return nil
	}
	title := strings.TrimSpace(c.Name + " " + c.Version)
	fmt.Fprintf(b.Out, "building %s (first time, about %s) ...\n", title, c.Cold)
	start := time.Now()
	stop := b.beat(title, start)
	defer stop()
	partial := path + ".partial"
	defer func() { _ = os.Remove(partial) }()
	ldflags := strings.Join(append([]string{"-s", "-w"}, c.LDFlags...), " ")
	if _, err := b.run(ctx, filepath.Join(b.Lab, c.Module),
		"build", "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", partial, c.Package); err != nil {
		return fmt.Errorf("build %s: %w", title, err)
	}
	if err := os.Rename(partial, path); err != nil {
		return fmt.Errorf("put %s into the cache: %w", title, err)
	}
	stop()
	fmt.Fprintf(b.Out, "building %s ... done in %s\n", title, time.Since(start).Round(time.Second))
	return nil
}

// beat prints a line now and then until stop is called; stop may be called twice.
func (b *Builder) beat(title string, start time.Time) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(heartbeat)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				fmt.Fprintf(b.Out, "building %s ... still at it after %s\n", title, time.Since(start).Round(time.Second))
			}
		}
	}()
	return func() { cancel(); <-done }
}

// ModuleDir returns the folder of a dependency's sources, as pinned by the nested module.
func (b *Builder) ModuleDir(ctx context.Context, module, path string) (string, error) {
	dir, err := b.run(ctx, filepath.Join(b.Lab, module), "list", "-m", "-f", "{{.Dir}}", path)
	if err != nil {
		return "", fmt.Errorf("find the sources of %s: %w", path, err)
	}
	return strings.TrimSpace(dir), nil
}

// run runs the go command in a module. GOWORK is off: the nested modules pin versions that must not mix.
func (b *Builder) run(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("go %s in %s: %w\n%s", args[0], dir, err, tail(stderr.String(), 30))
	}
	return stdout.String(), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// tail returns the last lines of a text.
func tail(text string, lines int) string {
	all := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
