"""A second start prepares nothing, and every reason to prepare again is noticed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from engine.settings import Settings
from engine.store import schema
from engine.store.session import make_engine
from scripts.product import prepare, prepared_before


def settings(folder: Path, **given: Any) -> Settings:
    return Settings(data_dir=folder, _env_file=None, **given)


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    for name in ["DATABASE_URL", "ADMIN_EMAIL", "ADMIN_PASSWORD"]:
        monkeypatch.delenv(name, raising=False)
    assert prepare.main([]) == 0
    made = settings(tmp_path)
    prepared_before.note(made)
    return made


def change(of: Settings, statement: str) -> None:
    with closing(sqlite3.connect(of.data_dir / "run-studio.sqlite3")) as database:
        database.execute("PRAGMA foreign_keys=OFF")
        database.execute(statement)
        database.commit()


def test_nothing_is_known_of_a_folder_that_is_empty(tmp_path: Path) -> None:
    assert prepared_before.known(settings(tmp_path)) is None


def test_a_prepared_database_is_known_with_its_operators(prepared: Settings) -> None:
    known = prepared_before.known(prepared)
    assert known is not None
    assert (known.operators, known.password) == (1, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE alembic_version SET version_num = '0001'",
        "DELETE FROM operators",
        "DELETE FROM workflow_definitions",
        "DROP TABLE operators",
    ],
)
def test_a_database_that_lost_something_is_prepared_again(
    prepared: Settings, statement: str
) -> None:
    change(prepared, statement)
    assert prepared_before.known(prepared) is None


def test_a_removed_database_is_prepared_again(prepared: Settings) -> None:
    (prepared.data_dir / "run-studio.sqlite3").unlink()
    assert prepared_before.known(prepared) is None


def test_a_new_migration_or_sample_is_a_reason(
    prepared: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prepared_before, "SOURCES", ("samples/*.json",))
    assert prepared_before.known(prepared) is None


def test_an_operator_who_is_given_and_not_there_is_a_reason(prepared: Settings) -> None:
    given = settings(prepared.data_dir, admin_email="new@example.com", admin_password="x" * 12)
    assert prepared_before.known(given) is None
    known = settings(prepared.data_dir, admin_email="Admin@localhost", admin_password="x" * 12)
    assert prepared_before.known(known) is not None


def test_postgresql_is_always_prepared(prepared: Settings) -> None:
    given = settings(prepared.data_dir, database_url="postgresql://nobody@127.0.0.1:1/none")
    assert prepared_before.known(given) is None


def test_preparing_twice_publishes_nothing_and_makes_nobody(
    prepared: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert prepare.main([]) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    assert '"published": []' in last
    assert '"operators": 1' in last
    assert '"password": null' in last
    engine = make_engine(prepared.effective_database_url)
    assert schema.at_head(engine)
    engine.dispose()
