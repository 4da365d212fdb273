"""A pytest plugin: tells at the end what was skipped and why, and in CI fails because of it."""

from __future__ import annotations

import os

import pytest


class NothingSkipped:
    def __init__(self, *, forbidden: bool) -> None:
        self._forbidden = forbidden
        self._skipped: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self._skipped[report.nodeid] = _reason(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self._skipped[report.nodeid] = _reason(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._forbidden and self._skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._forbidden and self._skipped:
            terminalreporter.section("skipped, which CI forbids", red=True, bold=True)
            for test, reason in self._skipped.items():
                terminalreporter.line(f"{test}: {reason}")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    return str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        forbidden = os.environ.get("CI", "").lower() in {"1", "true"}
        config.pluginmanager.register(NothingSkipped(forbidden=forbidden))
