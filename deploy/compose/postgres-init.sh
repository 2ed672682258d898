#!/bin/sh
# Runs once, when the volume is new: a role and its own databases for Holdfast, and
# for Temporal, so that neither can read what the other keeps. The passwords go in
# by the standard input, which no list of processes shows.
set -eu

secrets=${SECRETS_DIR:-/run/secrets}

# own ROLE DATABASE... makes a role with its password and the databases it owns.
own() {
	role=$1
	shift
	psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<-SQL
		CREATE ROLE $role LOGIN PASSWORD '$(cat "$secrets/${role}_db_password")';
	SQL
	for database; do
		psql --no-psqlrc --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<-SQL
			CREATE DATABASE $database OWNER $role;
			REVOKE CONNECT ON DATABASE $database FROM PUBLIC;
		SQL
	done
}

own holdfast holdfast
own temporal temporal temporal_visibility
