#!/bin/sh
# Prints the folder that holds a Temporal server and its schema tool, as
# temporal-server and temporal-sql-tool: bin/, where it builds them if need be.
# They are what a fleet runs on; `holdfast dev` uses the Temporal CLI instead.
# Only the folder goes to stdout; what people should know goes to stderr.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=../.tools
. "$root/.tools"
bin=$root/bin

# version prints the module version of a program that `go install` built.
version() {
	[ -x "$1" ] || return 0
	go version -m "$1" 2>/dev/null | awk '$1 == "mod" {print $3; exit}'
}

if [ "$(version "$bin/temporal-server")" = "$TEMPORAL_SERVER_VERSION" ] &&
	[ "$(version "$bin/temporal-sql-tool")" = "$TEMPORAL_SERVER_VERSION" ]; then
	echo "$bin"
	exit
fi

echo "Building the Temporal server $TEMPORAL_SERVER_VERSION and its schema tool into bin/. This takes about four minutes, once." >&2
mkdir -p "$bin"
# Beside their place, so that the renames below never cross a file system, and a
# build that is stopped leaves no half program under the real names.
build=$(mktemp -d "$bin/.temporal-server.XXXXXX")
trap 'rm -rf "$build"' EXIT
# -mod=mod and friends in GOFLAGS are for this module, not for that one.
GOFLAGS='' GOBIN="$build" go install \
	"go.temporal.io/server/cmd/server@$TEMPORAL_SERVER_VERSION" \
	"go.temporal.io/server/cmd/tools/sql@$TEMPORAL_SERVER_VERSION" >&2
mv "$build/server" "$bin/temporal-server"
mv "$build/sql" "$bin/temporal-sql-tool"
echo "Built $bin/temporal-server and $bin/temporal-sql-tool." >&2
echo "$bin"
