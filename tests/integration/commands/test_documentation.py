"""Every example of docs/cli.md is run, in its order, and does what the page says."""

from __future__ import annotations

import fnmatch
import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from engine.settings import ROOT
from tests.databases import SqliteDatabases
from tests.integration.commands.conftest import CommandLine, installation, migrate, worker_of
from tests.studio import Studio

PAGE = ROOT / "docs" / "cli.md"
_FILE = re.compile(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_CONSOLE = re.compile(r"```console\n(.*?)```", re.DOTALL)
_COMMAND = re.compile(r"\$ (?:printf '(?P<input>.*?)' \| )?flask (?P<line>.*?)(?:  # exit (\d))?$")


@dataclass
class Example:
    line: str
    code: int
    input: str | None
    expected: list[str] = field(default_factory=list)


def examples(text: str) -> list[Example]:
    found: list[Example] = []
    for block in _CONSOLE.findall(text):
        for line in block.splitlines():
            command = _COMMAND.fullmatch(line)
            if command is None:
                found[-1].expected.append(line)
                continue
            given = command["input"]
            typed = None if given is None else given.replace("\\n", "\n")
            found.append(Example(command["line"], int(command[3] or 0), typed))
    return found


def is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def pattern(expected: list[str], ids: dict[str, str]) -> str:
    """`…` stands for anything, RUN for the run's id."""
    text = "\n".join(expected).strip()
    for name, value in ids.items():
        text = re.sub(rf"\b{name}\b", value, text)
    escaped = re.sub(r"([\[\]*?])", r"[\1]", text)
    return escaped.replace("…", "*")


@pytest.fixture
def flask(own_address: str, sqlite_databases: SqliteDatabases, tmp_path: Path) -> CommandLine:
    return installation(own_address, sqlite_databases.create(tmp_path, migrate), tmp_path)


def test_the_examples_do_what_the_page_says(
    flask: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = PAGE.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    for name, content in _FILE.findall(text):
        (tmp_path / name).write_text(content, "utf-8")
    ids: dict[str, str] = {}

    def is_well() -> bool:
        return flask.app.test_cli_runner().invoke(args=["doctor"]).exit_code == 0

    with worker_of(flask):
        for example in examples(text):
            line = example.line.replace("RUN", ids.get("RUN", "RUN"))
            if line == "doctor":
                Studio.eventually(is_well, 40)
            result = flask(*shlex.split(line), input=example.input, code=example.code)
            printed = "\n".join(each.rstrip() for each in result.stdout.splitlines()).strip()
            if example.expected in (["RUN"], ["NEW"]):
                assert is_id(printed)
                ids.setdefault(example.expected[0], printed)
                continue
            if example.expected or example.code == 0:
                wanted = pattern(example.expected, ids)
                assert not wanted or fnmatch.fnmatchcase(printed, wanted), (
                    f"{line}\n{printed}\n--- the page says\n{wanted}"
                )


def test_every_command_is_on_the_page(flask: CommandLine) -> None:
    text = PAGE.read_text("utf-8")
    ours = (
        *("definitions", "runs", "events", "tasks", "quota"),
        *("operators", "secrets", "schemas", "cut-over"),
    )
    names = [
        f"{group} {name}"
        for group in ours
        for name in flask.app.cli.commands[group].commands  # type: ignore[attr-defined]
    ]
    assert len(names) > 10
    assert [name for name in [*names, "doctor"] if name not in text] == []
