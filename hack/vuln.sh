#!/usr/bin/env bash
# Runs govulncheck ($1). Finding something and being unable to look are different failures, and are said differently.
set -euo pipefail
cd "$(dirname "$0")/.."
code=0
"$1" ./... || code=$?
case $code in
0) ;;
3) echo "vuln: known vulnerabilities are reachable, see above" >&2 ;;
*) echo "vuln: nothing was checked: govulncheck could not run, or could not reach its database on the internet." >&2 ;;
esac
exit "$code"
