"""What people are told, before it is decided by which way."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from scc_responder.domain.status import CaseState
from scc_responder.domain.text import ascii_json
from scc_responder.domain.value import AwareDatetime, Value


class NoticeKind(StrEnum):
    """What a notice is about."""

    OUTCOME = "outcome"
    """A decision, and the outcomes of its steps so far."""
    UNDECIDED = "undecided"
    """A finding about which nothing could be decided yet, or at all."""
    REJECTED = "rejected"
    """A person rejected a plan."""
    EXPIRED = "expired"
    """Nobody answered a plan in time."""
    COUNTED = "counted"
    """Instances of a revision still run, minutes after a change was to end them."""
    UNDONE = "undone"
    """A person took back what a case did."""
    UNDONE_BY_OTHERS = "undone_by_others"
    """Somebody took away what was done: it was put back, or is fought over."""
    REMINDER = "reminder"
    """What was cut off or cordoned is so still after the last look: nobody has taken it back, or ended the pod."""
    LOOKED = "looked"
    """A look saw what is left to people: a later deploy, an execution that was started again, instances that run."""
    BREAKER = "breaker"
    """The storm breaker of a cluster tripped: nothing is changed there until its reset."""
    POLICY = "policy"
    """A policy may not act alone in a place any more, or not yet."""
    FEED = "feed"
    """What sends findings was changed or removed, or may not be read any more."""
    DIGEST = "digest"
    """More notices came for a route than it is told one by one."""
    TRIAL = "trial"
    """A person tries whether a route works."""


class NoticeSeverity(StrEnum):
    """How soon a person should look, in the words of Cloud Logging."""

    NOTICE = "NOTICE"
    WARNING = "WARNING"
    ERROR = "ERROR"


class OutcomeFormat(StrEnum):
    """In which form the outcome topic has notices."""

    V1 = "v1"
    """The facts as JSON."""
    CLOUDEVENTS = "cloudevents"
    """OCSF events as CloudEvents."""


class NoticeSubject(Value, frozen=True, kw_only=True):
    """What routes and threads are chosen by, as far as it is known. A tenant may have written any of `owners`.

    `contacts` are addresses that a route may be told at, without those of who did what the finding is about: `actors`
    are their mailboxes.
    `cluster` is the path of a cluster, of Cloud Run `projects/P`; `severity` is the finding's, as are `surface` and
    `event_time`. `about` is what joins cases to one incident: pod, workload, the service account that acted. `is_over`:
    the case needs nobody any more. `is_held`: something of it, or all, is held.
    """

    cluster: str = ""
    namespace: str = ""
    severity: str = ""
    owners: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    actors: tuple[str, ...] = ()
    surface: str = ""
    event_time: AwareDatetime | None = None
    about: tuple[str, ...] = ()
    is_over: bool = False
    is_held: bool = False


class Notice(Value, frozen=True, kw_only=True):
    """One thing that people are told.

    `case` is the id of the case, empty where it is about none, `finding` its finding, under the
    name by which we may read it, and `state` how far it was then. `reason` is a
    snake_case word, empty where the facts say it all. `labels` are short facts that a receiver may filter on, `facts`
    is everything as JSON data: an attacker may have written any text in it. `subject` and `key` are
    for routes, and not told. `key` tells it from other notices of its kind about its case, and is the same where it is
    said again after a crash.
    """

    kind: NoticeKind
    severity: NoticeSeverity
    case: str = ""
    finding: str = ""
    state: CaseState | None = None
    reason: str = ""
    labels: dict[str, str] = {}
    facts: dict[str, Any]
    subject: NoticeSubject = NoticeSubject()
    key: str = ""

    @property
    def attributes(self) -> dict[str, str]:
        """Case, reason and labels, as far as there are any."""
        about = {"case": self.case, "reason": self.reason}
        return {**{name: value for name, value in about.items() if value}, **self.labels}

    @property
    def message(self) -> bytes:
        """The facts as one line of ASCII JSON."""
        return ascii_json(self.facts)
