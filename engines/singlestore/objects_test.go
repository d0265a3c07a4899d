package singlestore

import (
	"testing"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/enginetest"
)

func version() catalogv1.VersionSpec {
	return catalogv1.VersionSpec{
		Version:       "8.9.3",
		DB:            catalogv1.Image{Image: "example.org/singlestore-node:8.9.3"},
		Standalone:    &catalogv1.Image{Image: "example.org/cluster-in-a-box:8.9.3"},
		Coordinator:   &catalogv1.Image{Image: "example.org/singlestore-coordinator:1"},
		InitContainer: &catalogv1.Image{Image: "example.org/singlestore-init:1"},
		Exporter:      &catalogv1.Image{Image: "example.org/mysqld-exporter:1"},
	}
}

func TestRender(t *testing.T) {
	secrets := map[string]map[string][]byte{
		"sdb-configuration": {"sdb.cnf": []byte("[server]\nmax_connections = 250\n"), "README": []byte("not read")},
		"old-shape":         {"a.cnf": []byte("# no section\nmax_connections = 200")},
	}
	for name, in := range map[string]engines.Inputs{
		"standalone":  {},
		"cluster":     {},
		"suffix":      {},
		"tls-monitor": {TLSSecret: "sdb-tls-abcdefghij"},
		"template":    {},
	} {
		t.Run(name, func(t *testing.T) {
			in.Version, in.UserConfig = version(), secrets
			enginetest.Golden(t, New(), name, in)
		})
	}
}
