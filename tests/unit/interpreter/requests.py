"""What the tests of actions ask the host for."""

from __future__ import annotations

from engine.interpreter.host import ActionRequest
from tests.fakes import FakeHost

RETRY = {"maxAttempts": 3, "backoffMs": 1000, "jitter": False}


def request(host: FakeHost, at: int = 0) -> ActionRequest:
    found: ActionRequest = host.calls("perform")[at]
    return found
