#!/bin/sh
# Prints the path of Temporal's web UI as a program of its own, bin/temporal-ui, which
# it builds if need be: the plain Temporal server of a fleet has none.
# Only the path goes to stdout; what people should know goes to stderr.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=../.tools
. "$root/.tools"
ui=$root/bin/temporal-ui

if [ -x "$ui" ] && [ "$(go version -m "$ui" 2>/dev/null | awk '$1 == "mod" {print $3; exit}')" = "$TEMPORAL_UI_VERSION" ]; then
	echo "$ui"
	exit
fi

echo "Building Temporal's web UI $TEMPORAL_UI_VERSION into bin/. This takes a minute or two, once." >&2
mkdir -p "$root/bin"
build=$(mktemp -d "$root/bin/.temporal-ui.XXXXXX")
trap 'rm -rf "$build"' EXIT
# -mod=mod and friends in GOFLAGS are for this module, not for that one.
GOFLAGS='' GOBIN="$build" go install "github.com/temporalio/ui-server/v2/cmd/server@$TEMPORAL_UI_VERSION" >&2
mv "$build/server" "$ui"
echo "Built $ui." >&2
echo "$ui"
