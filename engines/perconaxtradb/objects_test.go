package perconaxtradb

import (
	"testing"

	catalogv1 "github.com/drydock-db/drydock/apis/catalog/v1alpha1"
	"github.com/drydock-db/drydock/engines"
	"github.com/drydock-db/drydock/engines/enginetest"
)

func version(dialect string) catalogv1.VersionSpec {
	return catalogv1.VersionSpec{
		Version:         "8.0.40",
		Dialect:         dialect,
		DB:              catalogv1.Image{Image: "example.org/percona-xtradb-cluster:8.0.40"},
		Coordinator:     &catalogv1.Image{Image: "example.org/px-coordinator:1"},
		InitContainer:   &catalogv1.Image{Image: "example.org/px-init:1"},
		Exporter:        &catalogv1.Image{Image: "example.org/mysqld-exporter:1"},
		SecurityContext: catalogv1.SecurityContext{RunAsUser: new(int64(1001))},
	}
}

func TestRender(t *testing.T) {
	galera := version("mariadb")
	galera.Coordinator, galera.InitContainer = nil, nil
	for name, in := range map[string]engines.Inputs{
		"cluster": {Version: version("mysql")},
		"galera": {Version: galera, UserConfig: map[string]map[string][]byte{
			"custom": {"my.cnf": []byte("[mysqld]\nskip-name-resolve\n")},
		}},
		"tls-monitor": {Version: version(""), TLSSecret: "pxc-tls-abcdefghij"},
		"template":    {Version: version("mysql")},
	} {
		t.Run(name, func(t *testing.T) { enginetest.Golden(t, New(), name, in) })
	}
}
