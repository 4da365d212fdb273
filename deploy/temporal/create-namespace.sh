#!/bin/sh
# The namespace, or its retention where it is there already. The server may need a moment more
# after its first healthy answer, and a new namespace a few seconds until every part knows it.
set -eu
: "${HOME:=/tmp}" # the command wants one
export TEMPORAL_ADDRESS HOME

try_for_a_minute() {
    attempt=0
    until "$@"; do
        attempt=$((attempt + 1))
        [ "$attempt" -lt 30 ] || return 1
        sleep 2
    done
}

there() { temporal operator namespace describe --namespace "$NAMESPACE" >/dev/null 2>&1; }

create_or_update() {
    if there; then
        temporal operator namespace update --namespace "$NAMESPACE" --retention "$RETENTION"
    else
        temporal operator namespace create --namespace "$NAMESPACE" --retention "$RETENTION"
    fi
}

usable() { temporal workflow list --namespace "$NAMESPACE" --limit 1 >/dev/null 2>&1; }

try_for_a_minute create_or_update
try_for_a_minute usable
