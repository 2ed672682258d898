#!/bin/sh
# Prints the path of a Temporal CLI that is new enough: the one that TEMPORAL_CLI
# names, else the one on PATH, else bin/temporal, which it builds if need be.
# Only the path goes to stdout; what people should know goes to stderr.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=../.tools
. "$root/.tools"

# version prints what a CLI is, such as 1.5.1. One that `go install` built calls
# itself 0.0.0-DEV; its module version is in the binary.
version() {
	v=$("$1" --version 2>/dev/null | awk '{print $3; exit}') || v=
	case $v in
	'' | 0.0.0*) v=$(go version -m "$1" 2>/dev/null | awk '$1 == "mod" {sub(/^v/, "", $3); print $3; exit}') ;;
	esac
	echo "$v"
}

# 1.5 is the first whose development server has what the tests use.
new_enough() {
	version "$1" | awk -F. '{exit !($1 + 0 > 1 || ($1 + 0 == 1 && $2 + 0 >= 5))} END {if (!NR) exit 1}'
}

if [ -n "${TEMPORAL_CLI:-}" ]; then
	if [ ! -x "$TEMPORAL_CLI" ]; then
		echo "TEMPORAL_CLI is not a program that can be run: unset it, or let it name a Temporal CLI" >&2
		exit 1
	fi
	echo "$TEMPORAL_CLI"
	exit
fi

found=$(command -v temporal || true)
for candidate in "$found" "$root/bin/temporal"; do
	if [ -n "$candidate" ] && [ -x "$candidate" ] && new_enough "$candidate"; then
		echo "$candidate"
		exit
	fi
done

echo "No Temporal CLI of version 1.5 or newer found: building $TEMPORAL_CLI_VERSION into bin/. This takes about three minutes, once." >&2
# -mod=mod and friends in GOFLAGS are for this module, not for that one.
GOFLAGS='' GOBIN="$root/bin" go install "github.com/temporalio/cli/cmd/temporal@$TEMPORAL_CLI_VERSION" >&2
echo "Built $root/bin/temporal." >&2
echo "$root/bin/temporal"
