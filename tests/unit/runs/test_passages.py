"""Two runs' ways side by side."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.runs.passages import Passage, side_by_side
from engine.runs.status import StepStatus


def passage(key: str, status: str = "SUCCEEDED", ms: float | None = 10) -> Passage:
    return Passage(key, key, "action.call", key, (), StepStatus(status), False, 1, ms)


def way(keys: str, **statuses: str) -> list[Passage]:
    return [passage(key, statuses.get(key, "SUCCEEDED")) for key in keys]


def shown(left: list[Passage], right: list[Passage], limit: int = 1000) -> str:
    """`a` both, `a-` only left, `-a` only right, `a~` out of order; `|` before the parting."""
    found = side_by_side(left, right, limit=limit)
    words = []
    for number, pair in enumerate(found.pairs):
        key = (pair.left or pair.right or passage("?")).key
        word = key + "-" if pair.right is None else "-" + key if pair.left is None else key
        words.append(("| " if number == found.parting else "") + word + "~" * pair.out_of_order)
    return " ".join(words)


def test_runs_that_went_the_same_way_do_not_part() -> None:
    assert shown(way("abc"), way("abc")) == "a b c"


def test_they_part_where_a_step_ended_otherwise() -> None:
    assert shown(way("abc", b="FAILED"), way("abc")) == "a | b c"


def test_or_where_one_took_another_branch() -> None:
    assert shown(way("abxd"), way("abyzd")) == "a b | x- -y -z d"


def test_or_where_one_has_ended() -> None:
    assert shown(way("abc"), way("ab")) == "a b | c-"


def test_another_order_alone_is_no_parting() -> None:
    assert shown(way("abcd"), way("acbd")).replace("~", "") in {"a b c d", "a c b d"}
    assert "|" not in shown(way("abcd"), way("acbd"))
    assert "~" in shown(way("abcd"), way("acbd"))


def test_what_only_the_limit_cut_off_is_not_said_to_be_missing() -> None:
    assert shown(way("abcdef"), way("bcdefg"), limit=4) == "| a- b c d"
    assert side_by_side(way("abcde"), way("ab"), limit=4).cut
    assert not side_by_side(way("abcd"), way("ab"), limit=4).cut


def test_how_much_longer_a_step_took_is_known_when_both_have_ended() -> None:
    [pair] = side_by_side([passage("a", ms=10)], [passage("a", ms=25)]).pairs
    assert pair.slower_ms == 15
    [pair] = side_by_side([passage("a", ms=10)], [passage("a", ms=None)]).pairs
    assert pair.slower_ms is None


KEYS = st.lists(st.sampled_from("abcdefgh"), unique=True)


@given(KEYS, KEYS)
def test_every_occurrence_is_in_one_pair(left: list[str], right: list[str]) -> None:
    pairs = side_by_side(way("".join(left)), way("".join(right))).pairs
    assert [p.left.key for p in pairs if p.left] == left
    assert sorted(p.right.key for p in pairs if p.right) == sorted(right)
    assert all(p.left.key == p.right.key for p in pairs if p.left and p.right)
    assert {p.left.key for p in pairs if p.left and p.right} == set(left) & set(right)
