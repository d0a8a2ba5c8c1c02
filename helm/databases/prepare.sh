#!/bin/sh
# Creates databases, their owners and extensions on a PostgreSQL server, and sets the owners' passwords. Safe to repeat.
#
# Arguments: <database>=<extension>,<extension>... for each. A database is owned by a role of its own name, and nobody
# else may connect to it but the administrator; nor may the role connect to any other database. Passwords are read from $SECRETS/<database>.
# Environment: PGHOST, PGPORT, PGUSER (the administrator), PGSSLMODE, PGSSLROOTCERT, SECRETS; ADMINISTRATOR_FILE, where
# vault_secret.sh has left the administrator's password, which no Secret of the cluster holds.
set -eu

PGPASSWORD=$(cat "$ADMINISTRATOR_FILE")
export PGPASSWORD PGCONNECT_TIMEOUT=15 PGAPPNAME=prepare-databases

sql() {
  database=$1
  shift
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname "$database" "$@"
}

tries=0
until sql postgres --command 'SELECT 1' >/dev/null; do
  tries=$((tries + 1))
  [ "$tries" -lt 20 ] || { echo "prepare: the server at $PGHOST does not answer" >&2; exit 1; }
  sleep 6
done

# PostgreSQL lets every role connect to every database that does not say otherwise. Of the server's own, those are closed
# that the administrator may close, as a member of their owner, who keeps the right himself.
sql postgres <<'SQL'
SET client_min_messages = warning;
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname)
  FROM pg_database
 WHERE datname IN ('postgres', 'template0', 'template1') AND pg_has_role(datdba, 'USAGE') \gexec
SQL

for wanted in "$@"; do
  name=${wanted%%=*}
  extensions=$(printf %s "${wanted#*=}" | tr ',' ' ')

  sql postgres --set name="$name" <<'SQL'
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
-- Without it the administrator, who is no superuser on Azure, could not give a database to the role. From version 16 on
-- whoever made a role is a member that may not act as it, so being a member says too little.
SET client_min_messages = warning;
SELECT format('GRANT %I TO CURRENT_USER', :'name') \gexec
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'name') \gexec
SQL

  # psql makes the hash itself, so that the server never sees the password: it would log it with a failing statement.
  # Without a terminal it asks for it on standard input, twice.
  password=$(cat "$SECRETS/$name")
  [ -n "$password" ] || { echo "prepare: the password of $name is empty" >&2; exit 1; }
  if ! said=$(printf '%s\n%s\n' "$password" "$password" | sql postgres --command "\\password $name" 2>&1); then
    echo "prepare: the password of $name cannot be set: $said" >&2
    exit 1
  fi

  for extension in $extensions; do
    sql "$name" --set extension="$extension" <<'SQL'
SET client_min_messages = warning;
SELECT format('CREATE EXTENSION IF NOT EXISTS %I', :'extension') \gexec
SQL
  done
  # In a shell of its own: some keep what is assigned before a function.
  (PGPASSWORD=$password && sql "$name" --username "$name" --command 'SELECT 1' >/dev/null)
  echo "prepare: $name is ready (extensions: ${extensions:-none})"
done

for wanted in "$@"; do
  name=${wanted%%=*}
  others=$(sql postgres --tuples-only --no-align --set name="$name" <<'SQL'
SELECT string_agg(quote_ident(datname), ', ' ORDER BY datname) FROM pg_database
 WHERE datallowconn AND datname <> :'name' AND has_database_privilege(:'name', datname, 'CONNECT')
SQL
  )
  [ -z "$others" ] || echo "prepare: $name may also connect to $others, whose owner alone can refuse"
done
