#!/bin/sh
# Temporal's databases and schemas. Each command does nothing where it was done before.
set -eu
SQL_PASSWORD=$(cat /run/secrets/postgres_password)
export SQL_PASSWORD

tool() {
    temporal-sql-tool --plugin postgres12 --endpoint "$POSTGRES_HOST" --port "$POSTGRES_PORT" \
        --user "$POSTGRES_USER" --database "$@"
}

for pair in temporal:temporal temporal_visibility:visibility; do
    database=${pair%%:*}
    schema=${pair##*:}
    tool "$database" create
    tool "$database" setup-schema --version 0.0
    tool "$database" update-schema --schema-name "postgresql/v12/$schema"
done
