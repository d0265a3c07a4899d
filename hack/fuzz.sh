#!/usr/bin/env bash
# Runs every fuzz target of the module for the given time; Go takes only one at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
for package in $(go list ./...); do
	for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
		echo "==> $target in $package for $1"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$1" "$package"
	done
done
