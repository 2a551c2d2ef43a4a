# Makes the user and the database on first use, then runs the server.
set -euo pipefail
if [[ ! -s $PGDATA/PG_VERSION ]]; then
  # shellcheck disable=SC2086  # several words on purpose
  initdb -U "$POSTGRES_USER" --pwfile="$POSTGRES_PASSWORD_FILE" -A scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
  echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
  PGPASSWORD=$(<"$POSTGRES_PASSWORD_FILE")
  export PGPASSWORD
  pg_ctl -w start -o "-c listen_addresses=''"
  createdb -U "$POSTGRES_USER" "$POSTGRES_DB"
  pg_ctl -w stop -m fast
  unset PGPASSWORD
fi
exec postgres -c listen_addresses='*'
