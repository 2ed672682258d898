#!/bin/sh
# Makes throw-away secrets for docker-compose.yml, one file each, and leaves those
# that are there: put your own in their place. PostgreSQL takes its passwords when
# its volume is made, so deleting one of those files wants a new volume too.
set -eu

cd -- "$(dirname -- "$0")"
mkdir -p secrets
# Only the owner enters the folder. The files themselves can be read by all, because
# Compose mounts them as they are and each container runs as a user of its own.
chmod 700 secrets
cd secrets

random() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# make NAME VALUE writes a secret that is not there yet, as a whole or not at all.
make() {
	[ ! -s "$1" ] || return 0
	printf '%s\n' "$2" >"$1.new"
	chmod 444 "$1.new"
	mv "$1.new" "$1"
	echo "made secrets/$1" >&2
}

for name in postgres_password holdfast_db_password temporal_db_password operator_token \
	redo_secret redox_token redox_subject_hash_key redeam_security_key \
	socialboards_verify_token socialboards_community grafana_password; do
	make "$name" "$(random)"
done
make destination_secret "whsec_$(head -c 32 /dev/urandom | base64 | tr -d '\n')"
make holdfast_inbox "postgres://holdfast:$(cat holdfast_db_password)@postgres:5432/holdfast?sslmode=disable"
