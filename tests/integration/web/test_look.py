"""Light, dark, or as the system has it: chosen with a button, kept by the browser."""

from __future__ import annotations

import pytest

from tests.integration.web.browser import Browser


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_chosen_look_holds_on_every_page_and_ends_when_taken_back(
    operator: Browser, look: str
) -> None:
    form = operator.page("/workflows").form("/look", look="dark")
    answer = operator.submit(form, look=look)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/runs")
    html = operator.page("/waits").html
    assert f'<html lang="en" data-look="{look}">' in html
    assert f'<meta name="color-scheme" content="{look}">' in html
    operator.submit(form, look="system")
    assert '<html lang="en">' in operator.page("/waits").html


def test_one_stays_on_the_page_that_one_looked_at(operator: Browser) -> None:
    form = operator.page("/workflows").form("/look", look="dark")
    came = {"Referer": "http://localhost/waits?mine=1"}
    answer = operator.post("/look", form.fields | {"look": "dark"}, headers=came)
    assert answer.headers["Location"] == "/waits?mine=1"


def test_an_unknown_look_is_refused(operator: Browser) -> None:
    assert operator.post("/look", {"look": "pink"}).status_code == 422


def test_a_made_up_cookie_means_as_the_system_has_it(operator: Browser) -> None:
    operator.client.set_cookie("run_studio_look", '"><script>')
    assert '<html lang="en">' in operator.page("/waits").html
