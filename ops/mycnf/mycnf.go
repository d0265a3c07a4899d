// Package mycnf reads, checks and merges option files in the my.cnf language, which MySQL, MariaDB, Percona XtraDB
// Cluster and SingleStore share.
package mycnf

import "strings"

// Dialect is what differs from one database to the next.
type Dialect struct {
	// Name of the dialect: singlestore, mysql or mariadb.
	Name string
	// Section is the one that a file without any section header is put under: server or mysqld.
	Section string
	// Owned are the keys that the operator sets and a user may not, in normal form (underscores, lower case).
	Owned map[string]bool
}

// Keys that the operator owns, whichever the database is: where data lives, how the server is reached, whose
// certificates it shows, and what it loads or runs at its start.
var ownedByAll = []string{
	"basedir", "bind_address", "bootstrap", "chroot", "daemonize", "datadir", "defaults_extra_file", "defaults_file",
	"init_file", "pid_file", "plugin_dir", "plugin_load", "plugin_load_add", "port", "require_secure_transport",
	"secure_file_priv", "socket", "ssl", "ssl_ca", "ssl_capath", "ssl_cert", "ssl_crl", "ssl_crlpath", "ssl_key", "user",
}

var ownedByGalera = []string{
	"grant_tables", "networking", "pxc_encrypt_cluster_traffic", "wsrep_cluster_address", "wsrep_cluster_name",
	"wsrep_data_home_dir", "wsrep_new_cluster", "wsrep_node_address", "wsrep_node_incoming_address", "wsrep_node_name",
	"wsrep_on", "wsrep_provider", "wsrep_recover", "wsrep_sst_receive_address", "wsrep_start_position",
}

// The dialects.
var (
	SingleStore = Dialect{"singlestore", "server", set(ownedByAll, []string{
		"auditlogs_dir", "http_proxy_port", "plancachedir", "ssl_key_passphrase", "tracelogs_dir", "tracelogsdir",
	})}
	MySQL = Dialect{"mysql", "mysqld", set(ownedByAll, ownedByGalera, []string{
		"admin_address", "admin_port", "admin_ssl_ca", "admin_ssl_capath", "admin_ssl_cert", "admin_ssl_crl",
		"admin_ssl_crlpath", "admin_ssl_key", "auto_generate_certs", "early_plugin_load", "initialize",
		"initialize_insecure", "mysqlx_bind_address", "mysqlx_port", "mysqlx_socket", "mysqlx_ssl_ca",
		"mysqlx_ssl_capath", "mysqlx_ssl_cert", "mysqlx_ssl_crl", "mysqlx_ssl_crlpath", "mysqlx_ssl_key",
	})}
	MariaDB = Dialect{"mariadb", "mysqld", set(ownedByAll, ownedByGalera, []string{
		"extra_port", "ssl_passphrase",
	})}
)

// Named returns the dialect of that name, as the catalog gives it, and whether there is one.
func Named(name string) (Dialect, bool) {
	for _, d := range []Dialect{SingleStore, MySQL, MariaDB} {
		if d.Name == name {
			return d, true
		}
	}
	return Dialect{}, false
}

func set(lists ...[]string) map[string]bool {
	all := map[string]bool{}
	for _, list := range lists {
		for _, key := range list {
			all[key] = true
		}
	}
	return all
}

// spell writes a key as the server reads it: dashes are underscores.
func spell(key string) string { return strings.ReplaceAll(strings.ToLower(key), "-", "_") }

// identity is the option that a key speaks of. The server takes skip-x, disable-x and enable-x as ways to set x, and
// loose-x as x where it is known.
func identity(key string) string {
	name := spell(key)
	for {
		bare := name
		for _, prefix := range []string{"loose_", "skip_", "disable_", "enable_"} {
			bare = strings.TrimPrefix(bare, prefix)
		}
		if bare == "" || bare == name {
			return name
		}
		name = bare
	}
}

// owner returns the owned key that a key sets, or "". Servers accept a key cut short as long as it is unambiguous, so
// that "datad" sets datadir; where several owned keys begin with it, the first in alphabet is returned.
func (d Dialect) owner(key string) string {
	for _, name := range []string{spell(key), strings.TrimPrefix(identity(key), "maximum_")} {
		if d.Owned[name] {
			return name
		}
	}
	const shortest = 3
	name, found := identity(key), ""
	if len(name) < shortest || wholeKeys[name] {
		return ""
	}
	for owned := range d.Owned {
		if strings.HasPrefix(owned, name) && (found == "" || owned < found) {
			found = owned
		}
	}
	return found
}

// wholeKeys are options of their own although owned keys begin with them.
var wholeKeys = map[string]bool{"mysqlx": true}
