"""Light, dark, or as the system has it: chosen by a link, kept by the browser."""

from __future__ import annotations

import pytest

from tests.integration.web.browser import Browser


def _link(operator: Browser, page: str, look: str) -> str:
    return next(link for link in operator.page(page).links() if f"look={look}" in link)


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_chosen_look_holds_on_every_page_and_ends_when_taken_back(
    operator: Browser, look: str
) -> None:
    answer = operator.get(_link(operator, "/waits?mine=1", look))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/waits?mine=1")
    html = operator.page("/workflows").html
    assert f'<html lang="en" data-look="{look}">' in html
    assert f'<meta name="color-scheme" content="{look}">' in html
    operator.get(_link(operator, "/workflows", "system"))
    assert '<html lang="en">' in operator.page("/workflows").html


def test_it_leads_to_no_other_site(operator: Browser) -> None:
    answer = operator.get("/look?look=dark&next=https://elsewhere.example/")
    assert answer.headers["Location"] == "/runs"


@pytest.mark.parametrize("made_up", ["pink", '"><script>'])
def test_what_is_no_look_means_as_the_system_has_it(operator: Browser, made_up: str) -> None:
    operator.client.set_cookie("run_studio_look", made_up)
    assert '<html lang="en">' in operator.page("/waits").html
