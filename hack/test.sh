#!/usr/bin/env bash
# Everything that `make test` checks, in order of how fast it fails. Labs are stopped however this ends, and the last
# lines are go test's own summary.
set -euo pipefail
cd "$(dirname "$0")/.."
logs=$(mktemp -d)
lab_is_up=
step=start
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
	if [ "$code" -ne 0 ]; then
		echo "make test: FAILED in step: $step"
	fi
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM

count=0
run() { # NAME COMMAND...
	step=$1
	shift
	count=$((count + 1))
	local start=$SECONDS number
	number=$(printf '%02d' "$count")
	echo "==> [$count/10] $step"
	"$@" 2>&1 | tee "$logs/$number.log"
	echo "==> [$count/10] $step: $((SECONDS - start)) s"
}

run "generated files" make verify
run "lint" make lint
run "unit tests, with the race detector" make test-unit
run "chart and kustomize render the same" make chart
lab_is_up=yes
run "lab" make up
run "acceptance suites" make test-lab
run "TLS suite" make test-tls
lab_is_up=
run "lab down" make down
run "PetSets suite" make test-petsets
run "a third of the fault matrix" make test-faults
