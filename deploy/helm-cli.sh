#!/bin/sh
# Prints the path of a Helm that is new enough: the one that HELM_CLI names, else
# the one on PATH, else bin/helm, which it builds if need be. Only the path goes to
# stdout; what people should know goes to stderr.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
# shellcheck source=../.tools
. "$root/.tools"

# version prints what a Helm is, such as 3.22.0: the module version in the binary,
# or what a release says of itself.
version() {
	v=$(go version -m "$1" 2>/dev/null | awk '$1 == "mod" && $2 ~ /^helm\.sh\/helm/ {sub(/^v/, "", $3); print $3; exit}') || v=
	case $v in
	'' | *devel*) v=$("$1" version --template '{{.Version}}' 2>/dev/null | sed 's/^v//') || v= ;;
	esac
	echo "$v"
}

# The chart is checked with this Helm 3 and what follows it, not with older ones nor
# with another major version.
new_enough() {
	version "$1" | awk -F. '{exit !($1 + 0 == 3 && $2 + 0 >= 22)} END {if (!NR) exit 1}'
}

if [ -n "${HELM_CLI:-}" ]; then
	if [ ! -x "$HELM_CLI" ]; then
		echo "HELM_CLI is not a program that can be run: unset it, or let it name a Helm" >&2
		exit 1
	fi
	echo "$HELM_CLI"
	exit
fi

found=$(command -v helm || true)
for candidate in "$found" "$root/bin/helm"; do
	if [ -n "$candidate" ] && [ -x "$candidate" ] && new_enough "$candidate"; then
		echo "$candidate"
		exit
	fi
done

echo "No Helm 3.22 or newer found: building $HELM_VERSION into bin/. This takes about two minutes, once." >&2
# -mod=mod and friends in GOFLAGS are for this module, not for that one.
GOFLAGS='' GOBIN="$root/bin" go install "helm.sh/helm/v3/cmd/helm@$HELM_VERSION" >&2
echo "Built $root/bin/helm." >&2
echo "$root/bin/helm"
