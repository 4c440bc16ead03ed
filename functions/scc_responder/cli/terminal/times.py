"""Times as given on the command line. A malformed one is wrong use, and the message says what was expected."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import UTC, datetime, timedelta

from scc_responder.domain.duration import parse_duration
from scc_responder.policy.guardrails import CALENDAR
from scc_responder.workbench.policy_files.value_bounds import Bounds


def moment(text: str) -> datetime:
    """A day or a time of ISO 8601, in UTC where it does not say. Raises ArgumentTypeError."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        told = f"{text!r} is no time; write a day such as 2026-03-02, or a time such as 2026-03-02T09:31:00Z"
        raise ArgumentTypeError(told) from error
    if told := Bounds(*CALENDAR).broken_by(read):
        raise ArgumentTypeError(told)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def end(text: str) -> datetime:
    """As `moment`; of a day, its end."""
    return moment(text) + timedelta(days=1 if len(text) <= len("2026-03-02") else 0)


def length(text: str) -> timedelta:
    """A length of time, such as 30m. Raises ArgumentTypeError."""
    try:
        return parse_duration(text)
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from error
