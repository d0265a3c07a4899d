#!/usr/bin/env bash
# What `make test` checks, in order of how fast it fails. What needs no lab stops it at once; the suites on labs
# are all played, so that one run tells of all of them. Labs are stopped however this ends, and the last lines are go test's
# own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
lab_is_up=
failed=start
began=$SECONDS

finish() {
	local code=$?
	if [ -n "$lab_is_up" ]; then
		make down || true
	fi
	echo
	echo "==> summary after $((SECONDS - began)) s"
	cat "$logs"/*.log 2>/dev/null | grep -E '^(ok|FAIL|--- FAIL|panic:)' | grep -v 'no test files' || true
	rm -rf "$logs"
	if [ -n "$failed" ]; then
		echo "make test: FAILED in step: $failed"
		exit $((code == 0 ? 1 : code))
	fi
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

count=0
play() { # NAME COMMAND...: one step; its verdict is the command's.
	local step=$1 start=$SECONDS number code=0
	shift
	count=$((count + 1))
	number=$(printf '%02d' "$count")
	echo "==> [$count/10] $step"
	"$@" 2>&1 | tee "$logs/$number.log" || code=$?
	echo "==> [$count/10] $step: $((SECONDS - start)) s"
	return "$code"
}
need() { # NAME COMMAND...: nothing goes on without it.
	failed=$1
	play "$@"
	failed=
}
suites=
suite() { # NAME COMMAND...: the others are played even if it fails.
	play "$@" || suites="$suites${suites:+, }$1"
}

need "generated files" make verify
need "lint" make lint
need "unit tests, with the race detector" make test-unit
need "chart and kustomize render the same" make chart
lab_is_up=yes
need "lab" make up
suite "acceptance suites" make test-lab
suite "TLS suite" make test-tls
suite "demo, which stops the lab" make demo
lab_is_up=
suite "PetSets suite" make test-petsets
suite "a third of the fault matrix" make test-faults
failed=$suites
