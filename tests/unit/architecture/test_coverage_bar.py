"""Every case of the bar has its test, on a real Temporal (docs/coverage-bar.md)."""

from __future__ import annotations

import re

from engine.settings import ROOT

PAGE = ROOT / "docs" / "coverage-bar.md"
CASES = [
    *[str(number) for number in range(1, 33)],
    *[f"S{number}" for number in range(1, 10)],
    *[f"H{number}" for number in range(1, 7)],
    *[f"A{number}" for number in range(1, 8)],
    *[f"M{number}" for number in range(1, 20)],
]


def rows() -> list[tuple[str, str]]:
    return re.findall(r"^\| (\w+) \| .+ \| `(tests/.+)` \|$", PAGE.read_text(), re.MULTILINE)


def test_every_case_of_the_bar_has_a_test() -> None:
    assert [case for case, _ in rows()] == CASES


def test_all_but_the_replayed_histories_run_on_a_real_temporal() -> None:
    elsewhere = {test.split("::")[0] for _, test in rows() if "/temporal/" not in test}
    assert elsewhere == {"tests/unit/durable/test_replay.py"}
    for file in {test.split("::")[0] for _, test in rows()} - elsewhere:
        assert "pytest.mark.temporal" in (ROOT / file).read_text(), file
