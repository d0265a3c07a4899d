package mycnf

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	for _, c := range []struct{ name, old, change, want string }{
		{"first file, without a header", "", "max_connections = 550", "[server]\nmax_connections = 550\n"},
		{"first file, verbatim", "\n", "# mine\n\n[server]\n  a=1 # one\n\n# end", "# mine\n\n[server]\n  a=1 # one\n\n# end\n"},
		{"nothing changes", "[server]\na = 1\n", "", "[server]\na = 1\n"},
		{"later wins and keeps its place", "[server]\na = 1\nb = 2\nc = 3\n", "b = 20\n", "[server]\na = 1\nb = 20\nc = 3\n"},
		{"a new key goes to the end of its section", "[server]\na = 1\n\n# of clients\n[client]\nb = 2\n", "c = 3\n",
			"[server]\na = 1\nc = 3\n\n# of clients\n[client]\nb = 2\n"},
		{"a new key in a section without options", "[server]\n\n[client]\nb = 2\n", "c = 3\n", "[server]\nc = 3\n\n[client]\nb = 2\n"},
		{"a new section goes to the end", "[server]\na = 1\n", "[client]\nb = 2\n", "[server]\na = 1\n\n[client]\nb = 2\n"},
		{"no second blank line before a new section", "[server]\na = 1\n\n", "[client]\nb = 2\n", "[server]\na = 1\n\n[client]\nb = 2\n"},
		{"one key in two sections", "[server]\nport = 1\n[client]\nport = 2\n", "[client]\nport = 3\n", "[server]\nport = 1\n[client]\nport = 3\n"},
		{"present file gets a header", "a = 1\n", "b = 2\n", "[server]\na = 1\nb = 2\n"},
		{"present file has options above its first header", "a = 1\n[client]\nb = 2\n", "a = 3\n", "[server]\na = 3\n[client]\nb = 2\n"},
		{"present file has comments only", "# mine\n", "a = 1\n", "# mine\n\n[server]\na = 1\n"},
		{"dash, underscore and capitals", "[server]\nmax-connections = 1\n", "Max_Connections = 2\n", "[server]\nMax_Connections = 2\n"},
		{"an option gets a value", "[server]\nx\n", "x = 1\n", "[server]\nx = 1\n"},
		{"an option loses its value", "[server]\nx = 1\n", "x\n", "[server]\nx\n"},
		{"skip and set are one option", "[server]\nlog-bin = a\nskip-log-bin\n", "log_bin = b\n", "[server]\nlog_bin = b\n"},
		{"loose is the same option", "[server]\nloose-x = 1\n", "x = 2\n", "[server]\nx = 2\n"},
		{"a key given twice is replaced once", "[server]\na = 1\nb = 2\na = 3\n", "a = 4\n", "[server]\na = 4\nb = 2\n"},
		{"a list grows in its place", "[server]\nreplicate-do-db = a\nx = 1\n", "replicate-do-db = b\nreplicate-do-db = c\n",
			"[server]\nreplicate-do-db = b\nreplicate-do-db = c\nx = 1\n"},
		{"a list shrinks", "[server]\nreplicate-do-db = a\nreplicate-do-db = b\nx = 1\n", "replicate-do-db = c\n", "[server]\nreplicate-do-db = c\nx = 1\n"},
		{"a section written twice", "[server]\na = 1\n[client]\nb = 1\n[server]\nc = 1\n", "a = 2\nd = 2\n",
			"[server]\na = 2\n[client]\nb = 1\n[server]\nc = 1\nd = 2\n"},
		{"comments of a new key come along", "[server]\na = 1\n", "# why\n; and how\nb = 2\n", "[server]\na = 1\n# why\n; and how\nb = 2\n"},
		{"comments of a changed key join the old ones", "[server]\n# old\na = 1\n", "# new\na = 2\n", "[server]\n# old\n# new\na = 2\n"},
		{"comments that belong to no key stay away", "[server]\na = 1\n", "# head\n\n[server]\nb = 2\n# tail\n", "[server]\na = 1\nb = 2\n"},
		{"carriage returns go", "[server]\r\na = 1\r\n", "a = 2\r\n", "[server]\na = 2\n"},
		{"values are not touched", "[server]\na = \"x # y\" # z\nb = %(a)s\nc = a;b\nd = 'q'\n", "e = `%(b)s`=\n",
			"[server]\na = \"x # y\" # z\nb = %(a)s\nc = a;b\nd = 'q'\ne = `%(b)s`=\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			once, err := SingleStore.Merge(c.old, c.change)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, once); diff != "" {
				t.Errorf("Merge (-want +got):\n%s", diff)
			}
			twice, err := SingleStore.Merge(once, c.change)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(once, twice); diff != "" {
				t.Errorf("merging again changed the file (-once +twice):\n%s", diff)
			}
		})
	}
}

// Each case is one that the merge described in the reference, section 4.3, gets wrong.
func TestMergeKeepsWhatKubeDBLoses(t *testing.T) {
	old := strings.Join([]string{
		"# tuned by hand", "[mysqld]", "max_connections = 200", "", "# no DNS here", "skip-name-resolve", "sql-mode = A", "", "[client]", "port = 3306", "",
	}, "\n")
	got, err := MySQL.Merge(old, "[mysqld]\nmax_connections = 230\nsql_mode = B\nread_only\n")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"# tuned by hand", "[mysqld]", "max_connections = 230", "", "# no DNS here", "skip-name-resolve", "sql_mode = B", "read_only", "", "[client]", "port = 3306", "",
	}, "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("sections, comments, blank lines or options without a value were lost (-want +got):\n%s", diff)
	}

	got, err = SingleStore.Merge("max_connections = 250\n", "max_connections = 550\n")
	if err != nil {
		t.Fatal(err)
	}
	if want := "[server]\nmax_connections = 550\n"; got != want {
		t.Errorf("a first line that is a setting: got %q, want %q", got, want)
	}
}

func TestMergeRefuses(t *testing.T) {
	for _, c := range []struct{ name, old, change, want string }{
		{"present file", "[server\na b\n", "x = 1", `present file: line 1: the section header is not closed; write it as "[name]"; line 2: this is no option; write it as "name = value" or "name"`},
		{"new settings", "x = 1", "!include y", `new settings: line 1: directives such as "!include" are not allowed; write the settings themselves into the file`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := SingleStore.Merge(c.old, c.change)
			if err == nil || err.Error() != c.want || got != "" {
				t.Errorf("Merge = %q, %v, want error %q", got, err, c.want)
			}
		})
	}
}

// TestMergeTellsTheFirstLines: of a file that is no configuration at all nobody wants to read every line.
func TestMergeTellsTheFirstLines(t *testing.T) {
	_, err := SingleStore.Merge(strings.Repeat("[\n", 12), "x = 1")
	if err == nil || strings.Count(err.Error(), "not closed") != 10 || !strings.HasSuffix(err.Error(), "; and so on") {
		t.Error(err)
	}
}
