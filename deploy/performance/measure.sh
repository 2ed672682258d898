#!/bin/bash
# Measures one machine for the plots of ../PERFORMANCE.md: how much is delivered over
# how many subjects, and how long an event takes at which load, in each mode of relief.
# Temporal (a dev server in memory), Holdfast and `holdfast bench` share the machine.
#
#   deploy/performance/measure.sh bin/holdfast > deploy/performance/figures.jsonl
#
# TEMPORAL_CLI names the temporal command. Needs free ports 7843, 8083, 9099 and 8093.
set -eu
holdfast=$1
temporal=${TEMPORAL_CLI:-temporal}
dir=$(mktemp -d)
export TEMPORAL_ADDRESS=127.0.0.1:7843 HOLDFAST_LISTEN=127.0.0.1:8083 HOLDFAST_OPERATOR_LISTEN=127.0.0.1:8093
export HOLDFAST_SOURCES=redo HOLDFAST_SOURCE_REDO_SECRET=measured-here HOLDFAST_ROUTES='*=http://127.0.0.1:9099/'
trap 'kill $(jobs -p) 2>/dev/null || true; rm -rf "$dir"' EXIT

run() { # run KIND MODE X, and the flags of the bench
	local kind=$1 mode=$2 x=$3
	shift 3
	"$holdfast" bench --url http://127.0.0.1:8083 "$@" -o json |
		python3 -c 'import json, sys; print(json.dumps(dict(kind=sys.argv[1], mode=sys.argv[2], x=int(sys.argv[3]), report=json.load(sys.stdin))))' \
			"$kind" "$mode" "$x"
}

for mode in off auto; do
	"$temporal" server start-dev --headless --ip 127.0.0.1 --port 7843 --log-level error \
		--search-attribute HoldfastSource=Keyword --search-attribute HoldfastState=Keyword >"$dir/temporal.log" 2>&1 &
	server=$!
	HOLDFAST_RELIEF=$mode HOLDFAST_INBOX="sqlite:$dir/$mode.db" "$holdfast" all 2>"$dir/holdfast.log" &
	process=$!
	until curl -sf http://127.0.0.1:8093/readyz >/dev/null; do sleep 0.2; done
	sleep 2
	run warm-up "$mode" 0 --events 2000 --subjects 200 >/dev/null
	for subjects in 1 10 100 1000; do
		run throughput "$mode" "$subjects" --events 4000 --subjects "$subjects" --connections 64
	done
	for rate in 20 50 200 500 1000 2000; do
		run latency "$mode" "$rate" --rate "$rate" --duration 6s --subjects 500 --connections 64
	done
	kill $process
	wait $process || true
	kill $server
	wait $server || true
done
