#!/bin/sh
# The server's configuration is its environment; the password comes from a file. It listens on all
# of the container's addresses. Its parts are one process and find each other by the loopback: by
# the container's address, which differs at each `up`, they first look for those of before, and
# for half a minute no run is executed. A second server beside it would need addresses of its own.
set -eu
# Asked at its start who it is, where /etc/passwd has no such user.
: "${USER:=temporal}" "${HOME:=/tmp}"
POSTGRES_PWD=$(cat /run/secrets/postgres_password)
BIND_ON_IP=0.0.0.0
TEMPORAL_BROADCAST_ADDRESS=127.0.0.1
export USER HOME POSTGRES_PWD BIND_ON_IP TEMPORAL_BROADCAST_ADDRESS
exec temporal-server --allow-no-auth start
