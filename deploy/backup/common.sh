# Shared by the scripts of this folder; sourced, not run.
say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) $program: $*" >&2; }
fail() { say "$*"; exit 1; }

# Passwords come from a file, and reach PostgreSQL's programs through a file, never through arguments, which ps shows to everybody.
read_password() {
  [ -n "${PGPASSWORD_FILE:-}" ] || return 0
  PGPASSFILE=$(mktemp) && export PGPASSFILE
  made="${made:-} $PGPASSFILE"
  printf '*:*:*:*:%s\n' "$(sed -e 's/[\\:]/\\&/g' "$PGPASSWORD_FILE")" >"$PGPASSFILE"
}

# Debian keeps the servers' own programs out of the path. The newest is taken: an older one refuses newer dumps.
server_program() {
  command -v "$1" || ls -1 /usr/lib/postgresql/*/bin/"$1" 2>/dev/null | sort -V | tail -n 1
}

# One line for each table of the user's: name|rows. The same text from two databases means the same tables with as many rows.
count_rows="
select format('%I.%I', schemaname, tablename),
       (xpath('/row/c/text()', query_to_xml(format('select count(*) as c from %I.%I', schemaname, tablename), false, true, '')))[1]
from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1"

# A server of our own in a folder that is removed afterwards, on a Unix socket that nobody else can open: what is tried out there
# touches nothing. Sets PGHOST, PGPORT, PGUSER; initdb refuses root, so root becomes POSTGRES_ACCOUNT.
start_scratch_server() {
  scratch=$(mktemp -d "${TMPDIR:-/tmp}/scratch-postgres.XXXXXX")
  as=''
  if [ "$(id -u)" = 0 ]; then
    chown "${POSTGRES_ACCOUNT:=postgres}" "$scratch"
    as="setpriv --reuid=$POSTGRES_ACCOUNT --regid=$POSTGRES_ACCOUNT --clear-groups --"
  fi
  initdb=$(server_program initdb) && [ -n "$initdb" ] || fail "initdb is not here: install PostgreSQL's server"
  # shellcheck disable=SC2086
  $as "$initdb" -D "$scratch/data" -U scratch -A trust --no-sync -E UTF8 --locale=C >"$scratch.log" 2>&1 || fail "initdb: $(tail -n 3 "$scratch.log")"
  $as "$(server_program pg_ctl)" -D "$scratch/data" -w -t 60 -l "$scratch/log" \
    -o "-c listen_addresses='' -p 5432 -k $scratch -c fsync=off -c unix_socket_permissions=0700" start >/dev/null ||
    fail "the scratch server did not start: $(tail -n 3 "$scratch/log")"
  rm -f "$scratch.log"
  export PGHOST="$scratch" PGPORT=5432 PGUSER=scratch PGDATABASE=postgres
  unset PGPASSFILE PGPASSWORD PGSERVICE PGSSLMODE
}
# Restores a backup into a new database of the scratch server. The roles first: policies and grants name them.
restore_into_scratch() { # dump database
  roles=${1%.dump}.roles
  [ ! -e "$roles" ] || psql -qX -f "$roles" >/dev/null 2>&1 || true
  createdb "$2"
  pg_restore --exit-on-error --no-owner --no-privileges --dbname="$2" "$1" || fail "$1 cannot be restored"
}
stop_scratch_server() {
  [ -n "${scratch:-}" ] || return 0
  $as "$(server_program pg_ctl)" -D "$scratch/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$scratch" "$scratch.log"
}
clean_up() { stop_scratch_server; rm -f ${made:-}; }
