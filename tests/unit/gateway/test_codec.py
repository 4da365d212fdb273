"""What Temporal stores is unreadable without the key, and readable with it."""

from __future__ import annotations

import asyncio
import base64

import pytest
from temporalio.api.failure.v1 import Failure
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError

from engine.contract import RunStart
from engine.gateway.codec import EncryptionCodec, key_from_text
from engine.gateway.connect import data_converter

KEY = bytes(range(32))


def encode(converter: DataConverter, value: object) -> list:
    return asyncio.run(converter.encode([value]))


def test_an_encoded_value_holds_nothing_of_the_value_and_decodes_to_it() -> None:
    converter = data_converter(KEY)
    payloads = encode(converter, RunStart(run_id="a-run-id-to-look-for"))
    assert b"a-run-id-to-look-for" not in payloads[0].SerializeToString()
    assert b"json" not in payloads[0].SerializeToString()
    decoded = asyncio.run(converter.decode(payloads, [RunStart]))
    assert decoded == [RunStart(run_id="a-run-id-to-look-for")]


def test_the_same_value_is_encrypted_differently_each_time() -> None:
    converter = data_converter(KEY)
    assert encode(converter, "x")[0].data != encode(converter, "x")[0].data


def test_a_payload_from_before_the_key_stays_readable() -> None:
    plain = encode(data_converter(None), "old")
    assert asyncio.run(data_converter(KEY).decode(plain, [str])) == ["old"]


def test_another_key_is_named_as_the_cause() -> None:
    payloads = encode(data_converter(KEY), "x")
    with pytest.raises(ValueError, match="TEMPORAL_CODEC_KEY"):
        asyncio.run(data_converter(bytes(32)).decode(payloads, [str]))


def test_a_changed_payload_is_refused() -> None:
    payloads = encode(data_converter(KEY), "x")
    payloads[0].data = payloads[0].data[:-1] + bytes([payloads[0].data[-1] ^ 1])
    with pytest.raises(ValueError, match="damaged"):
        asyncio.run(data_converter(KEY).decode(payloads, [str]))


def test_a_failure_s_message_and_details_are_encrypted() -> None:
    async def round_trip() -> tuple[bytes, BaseException]:
        converter = data_converter(KEY)
        failure = Failure()
        error = ApplicationError("the customer is Jane", {"iban": "DE00"}, type="ActionError")
        await converter.encode_failure(error, failure)
        return failure.SerializeToString(), await converter.decode_failure(failure)

    stored, error = asyncio.run(round_trip())
    assert b"Jane" not in stored
    assert b"DE00" not in stored
    assert isinstance(error, ApplicationError)
    assert (error.message, error.type, error.details) == (
        "the customer is Jane",
        "ActionError",
        ({"iban": "DE00"},),
    )


def test_without_a_key_nothing_is_encrypted() -> None:
    assert data_converter(None) is DataConverter.default


@pytest.mark.parametrize("key", [b"", bytes(16), bytes(33)])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        EncryptionCodec(key)


def test_a_key_is_read_from_url_safe_base64() -> None:
    assert key_from_text(base64.urlsafe_b64encode(b"\xff" * 32).decode()) == b"\xff" * 32


@pytest.mark.parametrize("text", ["", "not base64!", base64.b64encode(bytes(16)).decode()])
def test_a_key_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        key_from_text(text)
