"""Histories as they may leave the house: whole, and with everything in them encrypted.

A history holds payloads as they are, masked nowhere, and the SDK's `Replayer` needs them as they
are: with a mask in its place an activity's result could lead elsewhere. So each payload that is not
encrypted already is encrypted here, the message of each failure too, as the codec does it; and what
people wrote as a reason is taken out. Names, ids and times stay. With the key, and only with it, a
`Replayer` reads the file (docs/operating.md, Exports).
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.api.failure.v1 import Failure
from temporalio.api.history.v1 import (
    History,
    MarkerRecordedEventAttributes,
    WorkflowExecutionStartedEventAttributes,
)
from temporalio.client import Client
from temporalio.converter import PayloadConverter
from temporalio.service import RPCError

from engine.contract import Json
from engine.gateway.codec import EncryptionCodec
from engine.gateway.connect import RPC_TIMEOUT, Connection
from engine.gateway.unknown import is_unknown_workflow

_PURPOSE: Final = b"run-studio history export 1"
_TIMEOUT_S: Final = 60.0
_MOST_EXECUTIONS: Final = 200
_OF_THE_SDK: Final = {"core_local_activity": "data", "core_patch": "patch-data"}
"""Details of a marker that the SDK reads past every codec: names and times, nothing of a run's."""
_WRITTEN_BY_PEOPLE: Final = frozenset({"reason", "cause"})


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What came of going through an exported history again."""

    workflow_id: str
    execution_id: str
    failure: str | None
    """Why this release does not fit the history; None: it does."""


@dataclass(frozen=True, slots=True)
class SealedHistory:
    """One execution's history, encrypted."""

    workflow_id: str
    execution_id: str
    key_id: str
    events: Json
    size: int
    """Bytes in Temporal's own encoding."""

    def as_json(self) -> dict[str, Json]:
        """`history` is what `WorkflowHistory.from_json` reads."""
        return {
            "temporalWorkflowId": self.workflow_id,
            "temporalRunId": self.execution_id,
            "encryptedWith": self.key_id,
            "history": {"events": self.events},
        }


class TemporalHistories:
    """`engine.services.context.HistoryGateway`, on a real Temporal."""

    def __init__(self, connection: Connection, key: bytes) -> None:
        self._connection = connection
        self._key, self._codec = key, EncryptionCodec(key)

    def histories_of(
        self, temporal_workflow_id: str, *, most_bytes: int
    ) -> list[SealedHistory] | None:
        async def fetch(client: Client) -> list[History] | None:
            return await _fetch(client, temporal_workflow_id, most_bytes)

        found = self._connection.call(fetch, timeout_s=_TIMEOUT_S)
        if found is None:
            return None
        # On the caller's thread: it takes a while, and every call to Temporal shares the loop.
        return [self._sealed(temporal_workflow_id, history) for history in found]

    def rehearse(self, histories: list[Json]) -> list[Rehearsal]:
        # Loads the workflow and its sandbox, which no other process than a worker needs.
        from engine.gateway.rehearse import rehearse

        return rehearse(histories, self._key)

    def _sealed(self, workflow_id: str, history: History) -> SealedHistory:
        seal(history, self._codec)
        return SealedHistory(
            workflow_id=workflow_id,
            execution_id=_started(history).original_execution_run_id,
            key_id=self._codec.key_id,
            events=MessageToDict(history)["events"],
            size=history.ByteSize(),
        )


async def _fetch(client: Client, workflow_id: str, room: int) -> list[History] | None:
    """From the newest execution back to the first: each says what it continues."""
    found: list[History] = []
    execution: str | None = None
    while len(found) < _MOST_EXECUTIONS:
        handle = client.get_workflow_handle(workflow_id, run_id=execution)
        history = History()
        try:
            async for event in handle.fetch_history_events(rpc_timeout=RPC_TIMEOUT):
                room -= event.ByteSize()
                if room < 0:
                    return None
                history.events.append(event)
        except RPCError as error:
            if not is_unknown_workflow(error):
                raise
            break  # Temporal has forgotten it: its retention is over
        found.append(history)
        execution = _started(history).continued_execution_run_id
        if not execution:
            break
    return found[::-1]


def _started(history: History) -> WorkflowExecutionStartedEventAttributes:
    return history.events[0].workflow_execution_started_event_attributes


def history_key(codec_key: bytes | None, secret_key: str) -> bytes:
    """What exported histories are encrypted with: the codec's key, else one made of the secret."""
    return codec_key or hmac.digest(secret_key.encode(), _PURPOSE, hashlib.sha256)


def seal(message: Message, codec: EncryptionCodec) -> None:
    """Encrypt, in place, whatever in `message` could hold a value of a run."""
    if isinstance(message, Payload):
        message.CopyFrom(codec.encrypted(message))
        return
    if isinstance(message, SearchAttributes):
        return
    if isinstance(message, Failure):
        _hide_words(message)
    known = ""
    if isinstance(message, MarkerRecordedEventAttributes):
        known = _OF_THE_SDK.get(message.marker_name, "")
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING and field.name in _WRITTEN_BY_PEOPLE:
            message.ClearField(field.name)
        elif field.type == FieldDescriptor.TYPE_MESSAGE:
            for name, item in _items(field, value):
                if not (known and name == known):
                    seal(item, codec)


def _items(field: FieldDescriptor, value: Any) -> list[tuple[str, Message]]:
    """The messages in a field, each with its key where the field is a map."""
    kind = field.message_type
    if kind is not None and kind.GetOptions().map_entry:
        return [(str(key), one) for key, one in value.items() if isinstance(one, Message)]
    if isinstance(value, Message):
        return [("", value)]
    return [("", one) for one in value]


def _hide_words(failure: Failure) -> None:
    """As the SDK's failure converter does it where a codec is configured."""
    if not failure.HasField("encoded_attributes"):
        words = {"message": failure.message, "stack_trace": failure.stack_trace}
        failure.encoded_attributes.CopyFrom(PayloadConverter.default.to_payload(words))
    failure.message, failure.stack_trace = "Encoded failure", ""
