// Package mycnf reads, checks and merges option files in the my.cnf language, which MySQL, MariaDB, Percona XtraDB
// Cluster and SingleStore share.
package mycnf

// Dialect is what differs from one database to the next.
type Dialect struct {
	// Name of the dialect: singlestore, mysql or mariadb.
	Name string
	// Section is the one that a file without any section header is put under: server or mysqld.
	Section string
	// Owned are the keys that the operator sets and a user may not, in normal form (underscores, lower case).
	Owned map[string]bool
}
