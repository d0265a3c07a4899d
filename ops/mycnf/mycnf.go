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
	// Owned are the keys that a user may not set, in normal form (underscores, lower case), and why: what the key does, or
	// "" for one that the operator sets itself.
	Owned map[string]string
}

// Why keys are refused.
const (
	setByOperator = ""
	namesFile     = "it names a file or folder of the container"
	loadsCode     = "it loads code into the server"
	securesIt     = "TLS comes from spec.tls"
	anotherPort   = "it is about another port than the one that Services lead to"
	startsOnce    = "it is for a single start of the server"
	joinsCluster  = "it takes the server out of its cluster"
	runsOtherwise = "the pod says how the server's process runs"
)

// Keys that are owned whichever the database is: where data lives, how the server is reached, whose certificates it
// shows, and what it loads or runs at its start.
var ownedByAll = owned{
	setByOperator: {"bind_address", "datadir", "port", "ssl_ca", "ssl_cert", "ssl_key"},
	namesFile: {
		"basedir", "defaults_extra_file", "defaults_file", "pid_file", "secure_file_priv", "socket",
	},
	loadsCode:                           {"plugin_dir", "plugin_load", "plugin_load_add"},
	securesIt:                           {"require_secure_transport", "ssl", "ssl_capath", "ssl_crl", "ssl_crlpath"},
	startsOnce:                          {"bootstrap"},
	runsOtherwise:                       {"chroot", "daemonize", "user"},
	"it runs statements at every start": {"init_file"},
}

var ownedByGalera = owned{
	setByOperator: {
		"pxc_encrypt_cluster_traffic", "require_secure_transport", "wsrep_cluster_address", "wsrep_cluster_name",
		"wsrep_node_address", "wsrep_node_incoming_address", "wsrep_node_name", "wsrep_sst_receive_address",
	},
	namesFile:                          {"wsrep_data_home_dir"},
	loadsCode:                          {"wsrep_provider"},
	startsOnce:                         {"wsrep_new_cluster", "wsrep_recover", "wsrep_start_position"},
	joinsCluster:                       {"wsrep_on"},
	"it keeps clients from the server": {"networking"},
	"it decides whether passwords are asked for": {"grant_tables"},
}

// The dialects.
var (
	SingleStore = Dialect{"singlestore", "server", reasons(ownedByAll, owned{
		namesFile:   {"auditlogs_dir", "plancachedir", "tracelogs_dir", "tracelogsdir"},
		securesIt:   {"ssl_key_passphrase"},
		anotherPort: {"http_proxy_port"},
	})}
	MySQL = Dialect{"mysql", "mysqld", reasons(ownedByAll, ownedByGalera, owned{
		namesFile: {"mysqlx_socket"},
		loadsCode: {"early_plugin_load"},
		securesIt: {
			"admin_ssl_ca", "admin_ssl_capath", "admin_ssl_cert", "admin_ssl_crl", "admin_ssl_crlpath", "admin_ssl_key",
			"auto_generate_certs", "mysqlx_ssl_ca", "mysqlx_ssl_capath", "mysqlx_ssl_cert", "mysqlx_ssl_crl",
			"mysqlx_ssl_crlpath", "mysqlx_ssl_key",
		},
		anotherPort: {"admin_address", "admin_port", "mysqlx_bind_address", "mysqlx_port"},
		startsOnce:  {"initialize", "initialize_insecure"},
	})}
	MariaDB = Dialect{"mariadb", "mysqld", reasons(ownedByAll, ownedByGalera, owned{
		securesIt:   {"ssl_passphrase"},
		anotherPort: {"extra_port"},
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

// owned are keys by the reason for which they are.
type owned map[string][]string

// reasons is the reason of every key; of a key that is in several lists the last one counts.
func reasons(lists ...owned) map[string]string {
	all := map[string]string{}
	for _, list := range lists {
		for why, keys := range list {
			for _, key := range keys {
				all[key] = why
			}
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
		if _, ok := d.Owned[name]; ok {
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
