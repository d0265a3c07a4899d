#!/usr/bin/env bash
# Fails when a generated file is not what the generators write now. It works on a copy, so that it changes nothing and
# needs no clean working tree.
set -euo pipefail
cd "$(dirname "$0")/.."
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
generated=(apis config charts docs)
# The conditions are described where they are made.
cp -r Makefile go.mod go.sum hack ops engines certs internal controllers "${generated[@]}" "$copy"
# What a generator no longer writes must not survive in the copy.
rm -f "$copy"/config/crd/*_*.yaml
find "$copy/apis" -name 'zz_generated.*' -delete
make -C "$copy" generate manifests
for folder in "${generated[@]}"; do
	if ! diff -ru "$folder" "$copy/$folder"; then
		echo "verify: $folder is out of date; run \`make generate manifests\`" >&2
		exit 1
	fi
done
echo "generated files are up to date"
