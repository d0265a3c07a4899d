// Package bench measures what operations cost a cluster. The benchmarks need a lab with an audit log (`lab up --audit`):
// go test -tags lab -run '^$' -bench . -benchtime 5x ./test/bench
package bench
