//go:build lab

// Command demo shows on the lab what the operator does: two databases, five refusals, a gate that stays shut, and five
// operations. It runs the commands that a person would, and fails if anything does not behave.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"time"
)

const folder = "test/demo/manifests/"

func main() {
	began := time.Now()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "\ndemo: this is not what should have happened:", err)
		os.Exit(1)
	}
	fmt.Printf("\nThat is it, in %s.\n", time.Since(began).Round(time.Second))
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	s, err := newStage(ctx)
	if err != nil {
		return err
	}
	return errors.Join(play(s), s.leave())
}

// play is the whole demo, act by act.
func play(s *stage) error {
	for _, act := range []func(*stage) error{databases, refusals, restart, reconfigure, expand, addTLS, badConfiguration} {
		if err := act(s); err != nil {
			return err
		}
	}
	return nil
}

func databases(s *stage) error {
	s.say("Two databases: a Singlestore cluster and a Percona XtraDB Cluster, as in KubeDB's guides.")
	return s.run(
		"create namespace demo",
		"apply -f "+folder+"singlestore.yaml -f "+folder+"perconaxtradb.yaml",
		"wait -n demo singlestore/sdb perconaxtradb/px --for=condition=Ready --timeout=3m",
		"get -n demo sdb,px,sts,pdb",
	)
}

// doomed are requests that cannot succeed, and the fields that are wrong in them.
var doomed = []struct {
	file   string
	fields []string
}{
	{"1-unknown-database", []string{"spec.databaseRef.name: Not found"}},
	{"2-volume-shrinks", []string{"spec.volumeExpansion.leaf: Invalid", "spec.volumeExpansion.aggregator: Invalid"}},
	{"3-node-of-a-cluster", []string{"spec.timeout: Invalid", "spec.maxRetries: Invalid", "spec.configuration.node: Forbidden"}},
	{"4-missing-secret", []string{"spec.configuration.configSecret.name: Not found", "spec.configuration.applyConfig[my.cnf]: Invalid"}},
	{"5-tls-without-tls", []string{"spec.tls: Forbidden", "spec.tls.remove: Forbidden", "spec.tls.rotateCertificates: Forbidden"}},
}

func refusals(s *stage) error {
	s.say(fmt.Sprintf("%d requests that cannot succeed. Each is refused at once, with every reason.", len(doomed)))
	for _, d := range doomed {
		if err := s.refused("apply -f "+folder+"refused/"+d.file+".yaml", d.fields...); err != nil {
			return err
		}
	}
	return nil
}

func restart(s *stage) error {
	s.say("A Restart: leaves first, the master aggregator last, one pod of a group at a time.")
	if err := s.run("apply -f " + folder + "restart.yaml"); err != nil {
		return err
	}
	if err := s.until("the database is paused", `get -n demo sdb sdb -o jsonpath={.status.conditions[?(@.type=="Paused")].status}`, "True"); err != nil {
		return err
	}
	s.say("Meanwhile the database is in the dock, and nobody else may change it.")
	if err := s.refused(`patch -n demo sdb sdb --type=merge -p {"spec":{"deletionPolicy":"Halt"}}`, "cannot change", "restart"); err != nil {
		return err
	}
	return s.follow("sdbops/restart", "Successful")
}

func reconfigure(s *stage) error {
	s.say("A Reconfigure: two settings are merged into the configuration, then the pods restart with it.")
	if err := s.run("apply -f " + folder + "reconfigure.yaml"); err != nil {
		return err
	}
	if err := s.follow("pxcops/reconfigure", "Successful"); err != nil {
		return err
	}
	return s.run("get -n demo px px -o jsonpath={.spec.configuration}")
}

func expand(s *stage) error {
	s.say("A VolumeExpansion while the pods keep running.")
	if err := s.run("apply -f " + folder + "expand.yaml"); err != nil {
		return err
	}
	if err := s.follow("sdbops/expand", "Successful"); err != nil {
		return err
	}
	return s.run("get -n demo pvc -l app.kubernetes.io/instance=sdb")
}

func addTLS(s *stage) error {
	s.say("A ReconfigureTLS: cert-manager issues, the pods restart with certificates, then connections without TLS are refused.")
	if err := s.run(
		"apply -f "+folder+"authority.yaml",
		"wait -n demo issuer/ca --for=condition=Ready --timeout=1m",
		"apply -f "+folder+"add-tls.yaml",
	); err != nil {
		return err
	}
	if err := s.follow("pxcops/add-tls", "Successful"); err != nil {
		return err
	}
	return s.run("get -n demo certificates")
}

func badConfiguration(s *stage) error {
	s.say("A configuration with which the database does not start: it stops at the first pod and is put back.")
	if err := s.run("apply -f " + folder + "bad-config.yaml"); err != nil {
		return err
	}
	if err := s.follow("pxcops/bad-config", "Failed"); err != nil {
		return err
	}
	return s.run(
		`get -n demo pxcops bad-config -o jsonpath={.status.conditions[?(@.type=="Failed")].message}`,
		"wait -n demo perconaxtradb/px --for=condition=Ready --timeout=1m",
		"get -n demo sdb,px,sdbops,pxcops",
	)
}
