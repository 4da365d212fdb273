"""PRD: Replay navigates to the new run."""

from __future__ import annotations

import pytest

from tests.acceptance.visitor import Visitor, run_id_in

pytestmark = pytest.mark.temporal


def test_a_browser_is_redirected_to_the_new_runs_page(visitor: Visitor, hello: str) -> None:
    first = visitor.run_now(hello)
    address = f"/runs/{first}/replay"
    answer = visitor.submit(visitor.page(address).form(address), reason="again")
    assert answer.status_code == 303
    new = run_id_in(answer.headers["location"])
    assert answer.headers["location"].endswith(f"/runs/{new}")
    assert new != first
    page = visitor.page(f"/runs/{new}")
    assert f"/runs/{first}" in page.links()
    assert f"/runs/{new}" in visitor.page(f"/runs/{first}").links()


def test_htmx_is_told_to_go_there(visitor: Visitor, hello: str) -> None:
    first = visitor.run_now(hello)
    address = f"/runs/{first}/replay"
    answer = visitor.submit(visitor.page(address).form(address), htmx=True, reason="again")
    new = run_id_in(answer.headers["hx-redirect"])
    assert new != first
    assert visitor.wait_for_end(new) == "SUCCEEDED"


def test_a_double_click_gives_one_run(visitor: Visitor, hello: str) -> None:
    first = visitor.run_now(hello)
    address = f"/runs/{first}/replay"
    form = visitor.page(address).form(address)
    answers = [visitor.submit(form, reason="again") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert answers[0].headers["location"] == answers[1].headers["location"]
