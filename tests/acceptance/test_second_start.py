"""Issue: the second start of `make run` takes under five seconds."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tests.product import Product

LIMIT_S = 5.0
TRIES = 3
"""The best of them counts: what else the machine does is not the product's."""


@pytest.mark.temporal
@pytest.mark.timeout(300)
def test_the_second_start_takes_under_five_seconds(tmp_path: Path) -> None:
    first = Product(tmp_path / "data")
    first.start()
    first.wait_for("Ctrl-C")
    assert first.end() == 0

    took = []
    for _ in range(TRIES):
        again = Product(tmp_path / "data")
        began = time.monotonic()
        again.start()
        again.wait_for("Ctrl-C")
        took.append(time.monotonic() - began)
        assert again.end() == 0
        told = re.search(r"up, after ([\d.]+) s", again.output)
        assert told is not None
        assert float(told[1]) <= took[-1]
        if took[-1] < LIMIT_S:
            break
    assert min(took) < LIMIT_S, took
