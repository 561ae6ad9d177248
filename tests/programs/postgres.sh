#!/bin/bash
# SPDX-License-Identifier: MIT
# PostgreSQL: pgbench with connections that stay and one for each transaction, bulk data both ways, IPv6, a canceled query.
# Modes: smcd
# shellcheck source-path=SCRIPTDIR source=lib.bash
. "${0%/*}/lib.bash"
# Debian keeps the server's programs out of PATH, by version.
for bin in /usr/lib/postgresql/*/bin; do
    PATH=$bin:$PATH
done
needs initdb postgres psql pgbench setpriv

user=(setpriv --reuid=postgres --regid=postgres --init-groups --)
export HOME=$WORK PGUSER=postgres PGDATABASE=postgres PGHOST=$host PGPORT=$PORT PGCONNECT_TIMEOUT=20 PGGSSENCMODE=disable
chown postgres "$SHARED" "$WORK"
if [[ ! -d $SHARED/data ]]; then
    "${user[@]}" initdb -D "$SHARED/data" -A trust -N -E UTF8 --locale=C --no-instructions >initdb.log
    cat >>"$SHARED/data/postgresql.conf" <<END
fsync = off
shared_buffers = 32MB
dynamic_shared_memory_type = mmap
unix_socket_directories = ''
listen_addresses = '$host, ::1'
END
fi
cp -a "$SHARED/data" data
start postgres "${user[@]}" postgres -D "$WORK/data" -p "$PORT"
listening "$PORT"
accepting() {
    shim psql -qAtc 'select 1' >/dev/null 2>&1
}
until_ok accepting
# One for each address.
listeners 2 "$PORT"
mark

sql() {
    shim psql -XqAt "$@"
}

shim pgbench -q -i -I dtgp -s 1 2>/dev/null
shim pgbench -n -c 4 -j 2 -t 10 | grep -E 'actually processed|failed'
kinds 'pgbench -c 4' 'client == server && client >= 5 && client_fallback + server_fallback == 0'
# -C: a fork of the server and a connection each time.
shim pgbench -n -S -C -c 2 -t 8 | grep -E 'actually processed|failed'
kinds 'pgbench -C' 'client == server && client >= 16 && client_fallback + server_fallback == 0'

sql <<'END'
select count(*) from pgbench_history;
select (select sum(abalance) from pgbench_accounts) = (select sum(delta) from pgbench_history);
create table numbers (n int primary key, text text);
END
seq 1 8000 | sed 's/$/,some text that makes the row longer, more than once/' | sed 's/,/\t/' >numbers.txt
sql -c '\copy numbers from numbers.txt'
sql -c '\copy (select * from numbers order by n) to copy.txt'
cmp numbers.txt copy.txt && echo 'copied both ways'
sql -c "select repeat('0123456789', 200000)" | sha256sum
# IPv6, and a connection of its own for the cancel request.
PGHOST=::1 sql -c 'select family(inet_client_addr())'
fails sql -c "set statement_timeout = '200ms'" -c 'select pg_sleep(20)' 2>&1 | grep -o 'canceling statement.*'
PGOPTIONS='-c log_statement=all' start sleeper psql -XqAt -c 'select pg_sleep(40)'
until_ok grep -q 'statement: select pg_sleep(40)' postgres.log
stop sleeper INT
grep -o 'canceling statement.*' sleeper.log
kinds 'psql, COPY, IPv6, cancel' 'client == server && client >= 8 && client_fallback + server_fallback == 0'
stop postgres INT
