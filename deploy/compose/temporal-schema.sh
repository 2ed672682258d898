#!/bin/sh
# Gives Temporal's two databases their tables, or brings them up to the version of
# this image. It can run again and again.
set -eu

SQL_PASSWORD=$(cat "$SQL_PASSWORD_FILE")
export SQL_PASSWORD
schema=${TEMPORAL_SCHEMA_DIR:-/etc/temporal/schema/postgresql/v12}

tool() {
	temporal-sql-tool --plugin postgres12 --endpoint "$SQL_HOST" --port "$SQL_PORT" --user "$SQL_USER" "$@"
}

for store in temporal visibility; do
	database=temporal
	[ "$store" = temporal ] || database=temporal_visibility
	# The table of versions first, unless it is there.
	tool --database "$database" setup-schema --version 0.0
	tool --database "$database" update-schema --schema-dir "$schema/$store/versioned"
done
