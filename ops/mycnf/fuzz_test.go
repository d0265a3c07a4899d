package mycnf

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gopkg.in/ini.v1"
)

var seeds = []string{
	"", "\n", "# c", "a", "a=1", "a = 1\na = 2", "[server]\na=1\n\n# x\nb", "[client]\na=1\n[server]\na=2\n[client]\nb=3",
	"skip-a\nloose_a=1\nenable-a", "# c\na=1\n# c\na=1\n# c\n", "[x]\n[x]\n[x]\n# q\na", "a=`\n`", "a=\"\"\"\n", "[a", "- = 1", "!include b",
	"\ufeffa=1", "a=1\r\nb\r\n", "a=\xff", "datadir=/x", "loose-skip-datadir", "a # b", "a = \"# b\" # c", "[server] # x\na\n",
}

// FuzzMerge: a merge never panics, gives a file that can be read, holds every option of the change, keeps the comments
// of the present file, and is the same when made again.
func FuzzMerge(f *testing.F) {
	for _, a := range seeds {
		for _, b := range seeds {
			f.Add(a, b)
		}
	}
	f.Fuzz(checkMerge)
}

// The same for files made of lines that merges stumble over, which a fuzzer takes long to find.
func TestMergeOfRandomFiles(t *testing.T) {
	lines := []string{"", "# c", "# c", "; d", "a=1", "a = 2", "skip-a", "loose_a", "b", "b=1 # x", "B = 3", "[server]", "[client]", "[server] # y"}
	random := rand.New(rand.NewPCG(1, 2))
	file := func() string {
		var b strings.Builder
		for range random.IntN(12) {
			b.WriteString(lines[random.IntN(len(lines))] + "\n")
		}
		return b.String()
	}
	for range 3000 {
		checkMerge(t, file(), file())
	}
}

func checkMerge(t *testing.T, old, change string) {
	t.Helper()
	once, err := SingleStore.Merge(old, change)
	if err != nil {
		if parse(old, "server").readable() == nil && parse(change, "server").readable() == nil {
			t.Fatalf("two readable files do not merge: %v", err)
		}
		return
	}
	if again, err := SingleStore.Merge(once, change); err != nil || again != once {
		t.Fatalf("not idempotent: %v\nonce:  %q\nagain: %q", err, once, again)
	}
	result := parse(once, "")
	if err := result.readable(); err != nil {
		t.Fatalf("the result cannot be read: %v\n%q", err, once)
	}
	checkNothingLost(t, old, change, result)
}

func checkNothingLost(t *testing.T, old, change string, result document) {
	t.Helper()
	for _, s := range parse(change, "server").settings() {
		if got, want := given(result, s), given(parse(change, "server"), s); !slices.Equal(got, want) {
			t.Fatalf("[%s] %s is given as %q, want %q in\n%q", s.section, s.id, got, want, result)
		}
	}
	for _, s := range parse(old, "server").settings() {
		if len(given(result, s)) == 0 {
			t.Fatalf("[%s] %s of the present file is lost in\n%q", s.section, s.id, result)
		}
	}
	for _, l := range parse(old, "server") {
		if l.kind == comment && !slices.ContainsFunc(result, func(r line) bool { return r.raw == l.raw }) {
			t.Fatalf("comment %q is lost in\n%q", l.raw, result)
		}
	}
}

func given(doc document, s setting) []string {
	var raw []string
	for _, l := range doc {
		if l.kind == option && l.section == s.section && identity(l.key) == s.id {
			raw = append(raw, l.raw)
		}
	}
	return raw
}

// FuzzCheck: a check never panics, and a file that passes it shows no owned key to a reader as plain as a server's.
func FuzzCheck(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, content string) {
		errs := MySQL.Check("f", content)
		for _, err := range errs {
			if !strings.HasPrefix(err.Error(), "f") {
				t.Fatalf("the error does not begin with the file: %v", err)
			}
		}
		if len(errs) > 0 {
			return
		}
		section := "mysqld"
		for _, l := range strings.Split(content, "\n") {
			l = strings.TrimSpace(l)
			if strings.HasPrefix(l, "[") {
				section = strings.TrimSpace(l[1:strings.IndexByte(l, ']')])
			}
			key, _, _ := strings.Cut(l, "=")
			key = strings.ReplaceAll(strings.ToLower(strings.TrimSpace(key)), "-", "_")
			if _, owned := MySQL.Owned[key]; owned && !slices.Contains(clientSections, section) {
				t.Fatalf("%q is let through in\n%q", key, content)
			}
		}
	})
}

// A file that merges can also be read by the library as a whole, with the values that the lines show.
func TestMergedFilesReadBack(t *testing.T) {
	merged, err := MySQL.Merge("# old\n[mysqld]\nmax_connections = 1\nskip-name-resolve\nreplicate-do-db = a\nreplicate-do-db = b\n", "max-connections = 2\nraw = %(max)s # not expanded\n[client]\nport = 1\n")
	if err != nil {
		t.Fatal(err)
	}
	options := syntax
	options.AllowShadows = true
	file, err := ini.LoadSources(options, []byte(merged))
	if err != nil {
		t.Fatal(err)
	}
	server := file.Section("mysqld")
	for key, want := range map[string]string{"max-connections": "2", "skip-name-resolve": "true", "raw": "%(max)s # not expanded"} {
		if got := server.Key(key).Value(); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if got := server.Key("replicate-do-db").ValueWithShadows(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("replicate-do-db = %q", got)
	}
	if got := file.Section("client").Key("port").Value(); got != "1" {
		t.Errorf("port of clients = %q", got)
	}
}
