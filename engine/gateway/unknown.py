"""Which errors of Temporal say that there is no such open workflow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio.api.errordetails.v1 import NamespaceNotFoundFailure
from temporalio.service import RPCError, RPCStatusCode


def is_unknown_workflow(error: RPCError) -> bool:
    """Is there no such open workflow? Where the *namespace* is missing, nothing is known."""
    if error.status is not RPCStatusCode.NOT_FOUND:
        return False
    details: Iterable[Any] = error.grpc_status.details
    return not any(detail.Is(NamespaceNotFoundFailure.DESCRIPTOR) for detail in details)
