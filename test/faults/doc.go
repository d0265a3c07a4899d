// Package faults proves that an operation survives whatever happens to the operator while it runs.
//
// Every operation is run once undisturbed; that gives N, the number of writes that it takes, and the state in which it
// ends. Then it is run again and again, and at write k, for each k from 1 to N, something goes wrong: the operator dies
// before or after the write, another one takes over, the API server answers with an error, a request or the database
// is deleted, the operator wakes up with an old list or misses watch events. Each time the same state has to be
// reached, every pod has to be restarted exactly once, the invariants of package framework have to hold at every event,
// and nothing is written once all is done.
//
// What differs in a detail from an operation that is tried at every k, and PetSets beside StatefulSets, are tried at one k in eight:
// others with each seed.
//
// A third of the cases is played with each change. A case that fails then is played once more, and what went wrong the first
// time is told; a defect that needs luck to show up is for whoever plays all of them, where every failure counts.
//
// Operators are instances in this process, made of the same pieces as cmd/drydock; all that is special is their HTTP
// transport, which counts writes and knows how to fail. A dock is a namespace with one database and one instance that
// looks at nothing else, so that many docks work side by side on one control plane. A dock takes one case after the
// other: a new database for each of thousands of cases would cost more than the cases.
//
//	DRYDOCK_LAB=… go test -tags lab,faults ./test/faults -timeout 90m -v -args -faults.budget=10m -faults.only=Restart/
package faults
