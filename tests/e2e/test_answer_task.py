"""A task is answered in the browser, on the real product, and its run goes on."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from engine.store.session import Store
from engine.store.tasks import WorkflowHumanTask
from tests.e2e import runs
from tests.product import ROOT, Product

SAMPLE = ROOT / "samples" / "asking" / "access-request.json"


@pytest.fixture(scope="session")
def asking(product: Product) -> str:
    """Key of a workflow that asks a person."""
    published = product.flask("definitions", "publish", str(SAMPLE))
    assert published.returncode == 0, published.stdout + published.stderr
    return SAMPLE.stem


def test_a_task_is_answered_from_the_inbox_and_its_run_goes_on(
    page: Page, asking: str, product_store: Store
) -> None:
    token = "a-secret-of-this-run"
    payload = {"client": "Contoso", "person": "Zoë", "folder": "Law", "oneTimeToken": token}
    run_id = runs.start(page, asking, json.dumps(payload))
    runs.comes_to_be(page, "WAITING")
    expect(page.locator("#run-live").get_by_text("Access to Law for Zoë").first).to_be_visible()
    page.get_by_role("link", name="Waits").click()
    row = page.locator("tr", has=page.locator(f"a[href='/runs/{run_id}']"))
    row.get_by_role("link", name=re.compile("^Answer")).click()
    expect(page.get_by_role("heading", name="Access to Law for Zoë")).to_be_visible()
    assert "[REDACTED]" in page.content()
    assert token not in page.content()
    page.get_by_label("Decision").select_option("approve")
    page.get_by_label("For how many days").fill("many")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_label("For how many days")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("For how many days")).to_have_value("many")
    page.get_by_label("For how many days").fill("30")
    page.get_by_role("button", name="Answer", exact=True).click()
    expect(page.get_by_label("Confirmed by")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Confirmed by").fill("Ms Keller")
    page.get_by_role("button", name="Answer", exact=True).click()
    assert runs.run_id(page) == run_id
    runs.comes_to_be(page, "SUCCEEDED")
    with product_store.reading() as session:
        task = session.query(WorkflowHumanTask).filter_by(run_id=run_id).one()
    assert task.answer_json == {"decision": "approve", "confirmedBy": "Ms Keller", "days": 30}
    page.goto(f"/waits/{task.task_id}/answer")
    expect(page.get_by_text("Answered by")).to_be_visible()
    assert page.get_by_role("button", name="Answer", exact=True).count() == 0


def test_of_two_answers_the_second_is_told_who_gave_the_first(page: Page, asking: str) -> None:
    run_id = runs.start(page, asking, '{"client": "Contoso", "person": "Ann", "folder": "HR"}')
    runs.comes_to_be(page, "WAITING")
    page.get_by_role("link", name="On a page of its own").click()
    other = page.context.new_page()
    other.goto(page.url)
    for one, contact in ((page, "Ms First"), (other, "Mr Second")):
        one.get_by_label("Decision").select_option("refuse")
        one.get_by_label("Confirmed by").fill(contact)
        one.get_by_role("button", name="Answer", exact=True).click()
        if one is page:
            assert runs.run_id(page) == run_id
            runs.comes_to_be(page, "SUCCEEDED")
    expect(other.locator("#wait-answer")).to_contain_text("Answered by operator@example.com")
    expect(other.locator("#wait-answer")).to_contain_text("Mr Second")
