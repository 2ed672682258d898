#!/bin/sh
# Records workflow histories into workflows/testdata/histories, with the code of
# the last released tag: a history that the working tree wrote itself would prove
# nothing about the runs that are in progress out there.
set -eu

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
out=$root/workflows/testdata/histories
mkdir -p "$out"

if tag=$(git -C "$root" describe --tags --abbrev=0 --match 'v*' 2>/dev/null); then
	echo "Recording with the code of $tag."
	code=$(mktemp -d)
	trap 'git -C "$root" worktree remove --force "$code"' EXIT
	git -C "$root" worktree add --quiet --force --detach "$code" "$tag"
else
	echo "There is no released tag yet: recording with the working tree, as the first release's histories."
	code=$root
fi

cd "$code"
RECORD_HISTORIES=$out go test -count=1 -run '^TestRecordHistories$' ./workflows
git -C "$root" status --short -- workflows/testdata/histories
