"""Templates: one root id a partial, and forms that work without JavaScript (architecture.md 5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.architecture import repository
from tests.unit.architecture.templates import expected_ids, faults_of_forms, roots

TEMPLATES = repository.under("templates/", suffix=".html")
PARTIALS = [path for path in TEMPLATES if path.name.startswith("_")]


@pytest.mark.parametrize("path", TEMPLATES, ids=str)
def test_every_form_has_method_action_and_csrf_token(path: Path) -> None:
    assert faults_of_forms(repository.text(path)) == []


@pytest.mark.parametrize("path", PARTIALS, ids=str)
def test_a_partial_has_one_root_whose_id_is_its_file_name(path: Path) -> None:
    ids = {id_ for _, id_ in roots(repository.text(path))}
    assert len(ids) == 1, f"roots with ids {ids}"
    assert ids <= expected_ids(path.parent.name, path.name)


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ('<form action="/x">{{ csrf() }}</form>', "has no method"),
        ('<form method="post">{{ csrf() }}</form>', "has no action"),
        ('<form method="post" data-action="/x">{{ csrf() }}</form>', "has no action"),
        ('<form method="post" action="/x"><button>Go</button></form>', "has no CSRF token"),
        ('<form method="post" action="{{ a > b }}">{# csrf #}</form>', "has no CSRF token"),
        ('<form method="get" action="/x">{{ csrf_token() }}</form>', "into an address"),
        ('<form method="post" action="/x">{{ csrf() }}', "not closed"),
    ],
)
def test_a_bad_form_is_found(form: str, fault: str) -> None:
    assert any(fault in found for found in faults_of_forms(form))


def test_a_good_form_is_not_reported() -> None:
    post = '<form method="post" action="{{ url_for("x", a=b > c) }}">{{ csrf() }}</form>'
    get = '<form method="get" action="/runs"><input name="q"></form>'
    assert faults_of_forms(post + get) == []


def test_roots_are_found_through_jinja_and_void_elements() -> None:
    source = """{% from "ui.html" import x %}
    {% if a %}<section id="live"><br><p id="inner">{{ x("<b>") }}</p></section>
    {% else %}<section id="live"></section>{% endif %}<img>"""
    assert roots(source) == [("section", "live"), ("section", "live"), ("img", None)]
