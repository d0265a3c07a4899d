package mycnf

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	mysql, sdb := MySQL, SingleStore
	for _, c := range []struct {
		name    string
		dialect Dialect
		content string
		want    []string
	}{
		{"settings of every form", mysql, "# mine\n[mysqld]\nmax_connections = 300\nskip-name-resolve\nsql_mode=\"A,B\" # strict\nreplicate-do-db=a\nreplicate-do-db=b\nvalidate_password.length = 8\n\n; end\n", nil},
		{"no section header", sdb, "max_connections = 550", nil},
		{"carriage returns at line ends", sdb, "[server]\r\nmax_connections = 1\r\n", nil},
		{"comments only", sdb, "# nothing yet\n", nil},
		{"keys of client programs", mysql, "[client]\nport = 3307\nssl-ca = /my/ca.pem\n[mysqldump]\nsocket=/tmp/s\n", nil},
		{"an option that owned keys begin with", mysql, "[mysqld]\nmysqlx = OFF\nwsrep_provider_options = gcache.size=1G\n", nil},
		{"a value with semicolons", mysql, "[mysqld]\ninit_connect = SET a=1; SET b=2\n", nil},
		{"a percent sign is not expanded", mysql, "[mysqld]\nlog_timestamps = %(datadir)s\n", nil},

		{"empty", mysql, "", []string{"f.cnf: the file is empty; write at least one option, or leave the file out"}},
		{"blank", mysql, " \n\t\n", []string{"f.cnf: the file is empty; write at least one option, or leave the file out"}},
		{"include", mysql, "[mysqld]\n  !include /etc/passwd\n!includedir /etc\n", []string{
			`f.cnf, line 2: directives such as "!include" are not allowed; write the settings themselves into the file`,
			`f.cnf, line 3: directives such as "!include" are not allowed; write the settings themselves into the file`}},
		{"NUL", mysql, "[mysqld]\nx=\x00\n", []string{"f.cnf, line 2: there is a control character (U+0000); remove it"}},
		{"a carriage return that hides a line", mysql, "[mysqld]\nx=1\rdatadir=/evil\n", []string{"f.cnf, line 2: there is a control character (U+000D); remove it"}},
		{"byte order mark", mysql, "\ufeff[mysqld]\nx=1\n", []string{"f.cnf, line 1: there is a byte order mark; save the file as UTF-8 without one"}},
		{"not UTF-8", mysql, "[mysqld]\nx=\xff\n", []string{"f.cnf, line 2: the line is not valid UTF-8; save the file as UTF-8"}},
		{"line separator", mysql, "[mysqld]\nx=\u2028\n", []string{"f.cnf, line 2: there is a control character (U+2028); remove it"}},
		{"longer than a server reads", mysql, "x=" + strings.Repeat("a", 4093) + "datadir=/evil\n", []string{
			"f.cnf, line 1: the line has 4108 bytes, but servers read no more than 4000 of a line; make it shorter"}},
		{"open header", mysql, "[mysqld\nx=1\n", []string{`f.cnf, line 1: the section header is not closed; write it as "[name]"`}},
		{"nameless header", mysql, "[]\n", []string{`f.cnf, line 1: the section has no name that can be used; write letters, digits, "_", "-" and "."`}},
		{"words behind a header", mysql, "[mysqld] x=1\n", []string{`f.cnf, line 1: something follows the section header; put it on a line of its own`}},
		{"no key", mysql, "[mysqld]\n= 5\n", []string{`f.cnf, line 2: this is no option; write it as "name = value" or "name"`}},
		{"a sentence", mysql, "please be fast\n", []string{`f.cnf, line 1: this is no option; write it as "name = value" or "name"`}},
		{"a quoted key", mysql, "`x` = 5\n", []string{`f.cnf, line 1: this is no option; write it as "name = value" or "name"`}},
		{"a dash", mysql, "- = 5\n", []string{`f.cnf, line 1: this is no option; write it as "name = value" or "name"`}},
		{"a value in backticks that hides a line", mysql, "x = `\ndatadir = /evil\n`\n", []string{
			`f.cnf, line 1: this is no option; write it as "name = value" or "name"`,
			`f.cnf, line 2, section [mysqld]: the operator sets "datadir" itself; remove the line`,
			`f.cnf, line 3: this is no option; write it as "name = value" or "name"`}},
		{"a value in triple quotes that hides a line", mysql, "x = \"\"\"a\ndatadir = /evil\n\"\"\"\n", []string{
			`f.cnf, line 1: this is no option; write it as "name = value" or "name"`,
			`f.cnf, line 2, section [mysqld]: the operator sets "datadir" itself; remove the line`,
			`f.cnf, line 3: this is no option; write it as "name = value" or "name"`}},
		{"a comment cuts a key short", mysql, "datadir#x = /evil\n", []string{`f.cnf, line 1, section [mysqld]: the operator sets "datadir" itself; remove the line`}},
		{"a backslash continues nothing", mysql, "x = 1 \\\ndatadir = /evil\n", []string{`f.cnf, line 2, section [mysqld]: the operator sets "datadir" itself; remove the line`}},

		{"owned with dashes and capitals", mysql, "[mysqld]\nSSL-CA = x\n", []string{`f.cnf, line 2, section [mysqld]: the operator sets "SSL-CA" itself; remove the line`}},
		{"owned and loose", mysql, "[mysqld]\nloose-datadir = x\n", []string{`f.cnf, line 2, section [mysqld]: "loose-datadir" sets "datadir", which the operator sets itself; remove the line`}},
		{"owned and skipped", mysql, "[mysqld]\nskip_ssl\nloose_disable-networking\n", []string{
			`f.cnf, line 2, section [mysqld]: "skip_ssl" sets "ssl", which may not be set here: TLS comes from spec.tls; remove the line`,
			`f.cnf, line 3, section [mysqld]: "loose_disable-networking" sets "networking", which may not be set here: it keeps clients from the server; remove the line`}},
		{"owned and cut short", mysql, "[mysqld]\ndatad = x\nbind = 0.0.0.0\n", []string{
			`f.cnf, line 2, section [mysqld]: "datad" sets "datadir", which the operator sets itself; remove the line`,
			`f.cnf, line 3, section [mysqld]: "bind" sets "bind_address", which the operator sets itself; remove the line`}},
		{"owned in another section of the server", mysql, "[mysqld-8.0]\nport=1\n[sst]\nssl-key=x\n", []string{
			`f.cnf, line 2, section [mysqld-8.0]: the operator sets "port" itself; remove the line`,
			`f.cnf, line 4, section [sst]: the operator sets "ssl-key" itself; remove the line`}},
		{"owned by Galera", MariaDB, "wsrep_cluster_address = gcomm://\n", []string{`f.cnf, line 1, section [mysqld]: the operator sets "wsrep_cluster_address" itself; remove the line`}},
		{"not set by the operator, and refused", mysql, "plugin-load = a.so\nsecure_file_priv=/\nuser = root\ninit_file = /x\npid_file = /x\nwsrep-on = OFF\nmysqlx_port = 1\n", []string{
			`f.cnf, line 1, section [mysqld]: "plugin-load" may not be set here: it loads code into the server; remove the line`,
			`f.cnf, line 2, section [mysqld]: "secure_file_priv" may not be set here: it names a file or folder of the container; remove the line`,
			`f.cnf, line 3, section [mysqld]: "user" may not be set here: the pod says how the server's process runs; remove the line`,
			`f.cnf, line 4, section [mysqld]: "init_file" may not be set here: it runs statements at every start; remove the line`,
			`f.cnf, line 5, section [mysqld]: "pid_file" may not be set here: it names a file or folder of the container; remove the line`,
			`f.cnf, line 6, section [mysqld]: "wsrep-on" may not be set here: it takes the server out of its cluster; remove the line`,
			`f.cnf, line 7, section [mysqld]: "mysqlx_port" may not be set here: it is about another port than the one that Services lead to; remove the line`}},
		{"set by the operator in one dialect only", mysql, "require_secure_transport\n", []string{
			`f.cnf, line 1, section [mysqld]: the operator sets "require_secure_transport" itself; remove the line`}},
		{"refused in the other", sdb, "require_secure_transport\n", []string{
			`f.cnf, line 1, section [server]: "require_secure_transport" may not be set here: TLS comes from spec.tls; remove the line`}},
		{"not owned by SingleStore", sdb, "wsrep_cluster_address = gcomm://\n", nil},
		{"several at once", sdb, "[server]\nport=1\nmax_connections=2\nwhat is this\nssl_cert=x\n", []string{
			`f.cnf, line 2, section [server]: the operator sets "port" itself; remove the line`,
			`f.cnf, line 4: this is no option; write it as "name = value" or "name"`,
			`f.cnf, line 5, section [server]: the operator sets "ssl_cert" itself; remove the line`}},
		{"as many wrong lines as are told", mysql, strings.Repeat("port\n", 10), numbered(10)},
		{"more wrong lines than are told", mysql, strings.Repeat("port\n", 11), append(numbered(10), "f.cnf: and so on, 11 lines in all; is this a configuration file?")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, err := range c.dialect.Check("f.cnf", c.content) {
				got = append(got, err.Error())
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("Check (-want +got):\n%s", diff)
			}
		})
	}
}

// numbered are the errors of so many lines that all set the port.
func numbered(lines int) []string {
	var errs []string
	for i := range lines {
		errs = append(errs, fmt.Sprintf(`f.cnf, line %d, section [mysqld]: the operator sets "port" itself; remove the line`, i+1))
	}
	return errs
}

func TestNamed(t *testing.T) {
	for name, section := range map[string]string{"singlestore": "server", "mysql": "mysqld", "mariadb": "mysqld"} {
		d, ok := Named(name)
		if !ok || d.Name != name || d.Section != section || d.Owned["user"] == "" {
			t.Errorf("Named(%q) = %+v, %v", name, d, ok)
		}
	}
	if d, ok := Named("oracle"); ok {
		t.Errorf("Named(oracle) = %+v", d)
	}
}

// Each key has one reason; a key under two would be refused with the one or the other by chance.
func TestOwnedKeysHaveOneReason(t *testing.T) {
	for _, list := range []owned{ownedByAll, ownedByGalera} {
		count := 0
		for _, keys := range list {
			count += len(keys)
		}
		if got := len(reasons(list)); got != count {
			t.Errorf("%d keys, of which %d differ", count, got)
		}
	}
}

// Owned keys are looked up in normal form; one written otherwise would never be found.
func TestOwnedKeysAreInNormalForm(t *testing.T) {
	for _, d := range []Dialect{SingleStore, MySQL, MariaDB} {
		for key := range d.Owned {
			if identity(key) != key {
				t.Errorf("%s: %q is not in normal form, which is %q", d.Name, key, identity(key))
			}
		}
	}
}

func TestHash(t *testing.T) {
	files := map[string][]byte{"a.cnf": []byte("x"), "b.cnf": []byte("y")}
	first := Hash(files)
	if len(first) != 10 || strings.Trim(first, "abcdefghijklmnopqrstuvwxyz234567") != "" {
		t.Errorf("Hash = %q, want 10 characters that fit an object's name", first)
	}
	for range 20 {
		if again := Hash(map[string][]byte{"b.cnf": []byte("y"), "a.cnf": []byte("x")}); again != first {
			t.Fatalf("Hash differs with the order of the files: %q, %q", first, again)
		}
	}
	for name, other := range map[string]map[string][]byte{
		"none":                   nil,
		"another content":        {"a.cnf": []byte("x"), "b.cnf": []byte("z")},
		"another name":           {"a.cnf": []byte("x"), "c.cnf": []byte("y")},
		"contents swapped":       {"a.cnf": []byte("y"), "b.cnf": []byte("x")},
		"name runs into content": {"a.cnfx": nil, "b.cnf": []byte("y")},
		"one file less":          {"a.cnf": []byte("x")},
		"an empty file more":     {"a.cnf": []byte("x"), "b.cnf": []byte("y"), "c": nil},
	} {
		if Hash(other) == first {
			t.Errorf("%s: the hash is the same", name)
		}
	}
}
