#!/bin/sh
# Prints the folder of PostgreSQL's programs (initdb, postgres), and installs Debian's
# package first where there are none and we may.
# Only the folder goes to stdout; what people should know goes to stderr.
set -eu

# found prints the first folder that has the server's programs: what pg_config says,
# where Debian keeps them, the newest first, or on PATH.
found() {
	{
		pg_config --bindir 2>/dev/null || true
		ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t / -k 5 -n -r
		initdb=$(command -v initdb) && dirname "$initdb"
	} | while read -r dir; do
		if [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ]; then
			echo "$dir"
			break
		fi
	done
}

dir=$(found)
if [ -z "$dir" ]; then
	if ! command -v apt-get >/dev/null; then
		echo "PostgreSQL is not installed: install a server, version 14 or newer, so that initdb and postgres are on PATH" >&2
		exit 1
	fi
	if [ "$(id -u)" != 0 ]; then
		echo "PostgreSQL is not installed: run  sudo apt-get install postgresql" >&2
		exit 1
	fi
	echo "PostgreSQL is not installed: installing Debian's package." >&2
	# No cluster of Debian's own: nothing is to listen that nobody asked for.
	mkdir -p /etc/postgresql-common/createcluster.d
	echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/holdfast.conf
	export DEBIAN_FRONTEND=noninteractive
	apt-get update >&2
	apt-get install -y --no-install-recommends postgresql >&2
	dir=$(found)
fi
if [ -z "$dir" ]; then
	echo "PostgreSQL was installed, but its initdb and postgres are in no known place: put their folder on PATH" >&2
	exit 1
fi
echo "$dir"
