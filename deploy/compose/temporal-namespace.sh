#!/bin/sh
# Makes sure of the namespace and of the two search attributes that workflows set.
# It can run again and again.
set -eu

namespace=$TEMPORAL_NAMESPACE
# The temporal command reads these two by itself.
export TEMPORAL_ADDRESS TEMPORAL_NAMESPACE

# retry COMMAND... tries for two minutes: a server that listens is not yet one that
# has its shards.
retry() {
	for attempt in $(seq 60); do
		if "$@"; then return; fi
		echo "not yet (try $attempt): $*" >&2
		sleep 2
	done
	return 1
}

there() { temporal operator namespace describe --namespace "$namespace" >/dev/null 2>&1; }

# Three days are enough to look at runs that have ended: what became of the events
# is in the inbox.
namespace_is_there() {
	there || temporal operator namespace create --namespace "$namespace" --retention 72h || there
}

# has NAME tells whether the attribute is there. The list is taken whole first, so
# that a failure to get it is not taken for an empty one.
has() {
	list=$(temporal operator search-attribute list --namespace "$namespace") || return 1
	echo "$list" | grep -Eq "(^|[[:space:]])$1[[:space:]]+Keyword"
}

# To create one that is there is no mistake.
attribute_is_there() {
	temporal operator search-attribute create --namespace "$namespace" --name "$1" --type Keyword
	has "$1"
}

retry temporal operator cluster health
retry namespace_is_there
retry attribute_is_there HoldfastSource
retry attribute_is_there HoldfastState
echo "namespace $namespace is prepared"
