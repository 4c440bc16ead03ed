"""Things outside Python that some tests need: where one is missing, that is said loudly, and with CI=true it fails.

A fixture that cannot have what it needs calls `missing`. The test is skipped, and the end of the run shows under one
heading what was missing, why, how many tests did not run for it, and what to do.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import NoReturn

import pytest
from _pytest.outcomes import Skipped  # `pytest.skip.Exception` is this class, but cannot be named as a base

PROPERTY = "missing-requirement"
NOTE = "ran-with"
"""The property (`record_property`) of what a person should know of how a test ran: shown once at the end."""


class MissingRequirement(Skipped):
    """Skips the test and carries what was missing to the summary."""

    def __init__(self, name: str, reason: str, remedy: str) -> None:
        super().__init__(f"{name} is missing: {reason.splitlines()[0]}")
        self.requirement = (name, reason, remedy)


def missing(name: str, reason: str, remedy: str) -> NoReturn:
    """Skip the test in hand for want of `name`. `remedy` is what a person does about it: best a command to copy."""
    __tracebackhide__ = True
    raise MissingRequirement(name, reason, remedy)


class RequirementsReport:
    """The pytest plugin that counts skipped tests by requirement, also under pytest-xdist, and reports them."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, str, str], int] = {}
        self.notes: set[str] = set()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach what was missing to the report, which is what crosses from worker to controller."""
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, MissingRequirement):
            report.user_properties.append((PROPERTY, call.excinfo.value.requirement))
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one test that did not run, and keep what is to be said of one that did."""
        self.notes.update(str(value) for key, value in report.user_properties if key == NOTE)
        for key, value in report.user_properties:
            if key == PROPERTY and isinstance(value, tuple | list) and report.skipped:
                name, reason, remedy = value
                self.tests[name, reason, remedy] = self.tests.get((name, reason, remedy), 0) + 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """In CI, a test that could not run is a failure."""
        if self.tests and in_ci() and session.exitstatus in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None, None, None]:
        """The loud section at the very end, below pytest's own list of skipped tests."""
        yield
        for note in sorted(self.notes):
            terminalreporter.line(note)
        for (name, reason, remedy), count in sorted(self.tests.items()):
            terminalreporter.section(f"NOT TESTED: {name} is missing", sep="!", red=True, bold=True)
            terminalreporter.line(f"{count} test{'s' if count > 1 else ''} did not run.", red=True)
            terminalreporter.line(f"Reason: {reason}")
            terminalreporter.line(f"Remedy: {remedy}")
            if in_ci():
                terminalreporter.line("CI=true: this fails the run.", red=True, bold=True)


def in_ci() -> bool:
    """Whether this run has to have everything."""
    return os.environ.get("CI", "").lower() in {"true", "1"}
