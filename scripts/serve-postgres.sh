#!/usr/bin/env bash
# Serves a PostgreSQL of a test's own until its standard input ends: a new cluster in a temporary folder, reached by a socket
# in it. Prints the socket's folder once it answers. Lines on its standard input are answered by a line each:
#
#   usage: serve-postgres.sh [CERTIFICATE KEY PORT]     with them it listens on 127.0.0.1 too, and speaks TLS
#
#   kill    ends the server at once, as a crash would
#   start   starts it again, with what it has kept
#
# As root it runs as the user `postgres`, whom Debian's package makes: PostgreSQL refuses root.
set -euo pipefail
export LC_ALL=C

bin=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
if [[ ! -x "$bin/initdb" ]]; then
    printf 'Error: PostgreSQL is not installed\nHint: As root: apt-get install postgresql\n' >&2
    exit 1
fi
folder=$(mktemp -d /tmp/stateward-postgres-XXXXXX)
as_user=()
if ((EUID == 0)); then
    as_user=(setpriv --reuid=postgres --regid=postgres --clear-groups)
    chown postgres:postgres "$folder"
fi
pid=''
port=${3:-5432}
options=(-c listen_addresses= -c fsync=off -c max_connections=400 -c port="$port")

finish() {
    kill_server
    rm -rf "$folder"
}
trap finish EXIT

kill_server() {
    if [[ -n "$pid" ]]; then
        kill -QUIT "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
        pid=''
    fi
}

# The machine's crash is not what these tests are about, so nothing waits for a disk.
start_server() {
    "${as_user[@]}" "$bin/postgres" -D "$folder/data" -k "$folder" "${options[@]}" </dev/null >>"$folder/log" 2>&1 &
    pid=$!
    for _ in {1..600}; do
        if "$bin/pg_isready" --quiet --host "$folder" --port "$port"; then return; fi
        if ! kill -0 "$pid" 2>/dev/null; then break; fi
        sleep 0.05
    done
    tail -n 20 "$folder/log" >&2
    exit 1
}

# Texts sort by a language's rules unless a column says otherwise: what forgets to say so is found.
(cd "$folder" && "${as_user[@]}" "$bin/initdb" --pgdata "$folder/data" --username postgres --auth trust --no-sync \
    --encoding UTF8 --locale-provider icu --icu-locale en-US) >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; exit 1; }
if (($# == 3)); then
    cp "$1" "$folder/data/server.crt"
    cp "$2" "$folder/data/server.key"
    if ((EUID == 0)); then chown postgres:postgres "$folder"/data/server.*; fi
    chmod 600 "$folder"/data/server.*
    options+=(-c listen_addresses=127.0.0.1 -c ssl=on)
fi
start_server
printf '%s\n' "$folder"
while read -r line; do
    case $line in
        kill) kill_server && printf 'killed\n' ;;
        start) start_server && printf 'started\n' ;;
    esac
done
