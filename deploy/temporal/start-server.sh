#!/bin/sh
# The server's configuration is its environment; the password comes from a file. It listens on all
# of the container's addresses, and tells its parts the one by which they find each other.
set -eu
POSTGRES_PWD=$(cat /run/secrets/postgres_password)
BIND_ON_IP=0.0.0.0
address=$(hostname -i)
TEMPORAL_BROADCAST_ADDRESS=${address%% *}
export POSTGRES_PWD BIND_ON_IP TEMPORAL_BROADCAST_ADDRESS
exec temporal-server --allow-no-auth start
