"""The limits that no policy can lift, owned by the platform team: `policies/guardrails.yaml`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

from scc_responder.documents import read_document
from scc_responder.duration import parse_duration
from scc_responder.fault import Mistake
from scc_responder.limits import Limits, duration_mistakes, limit_mistakes
from scc_responder.match import Match, match_mistakes
from scc_responder.mode import Mode
from scc_responder.value import StrictValue

FILE_NAME = "guardrails.yaml"


class Day(StrEnum):
    """The days of the week."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class AllowedKeys(StrictValue, frozen=True, kw_only=True):
    """Label and annotation keys outside our prefix that policies may write; exact keys, no patterns."""

    labels: tuple[str, ...] = ()
    annotations: tuple[str, ...] = ()


class MaxFindingAge(StrictValue, frozen=True, kw_only=True):
    """How old a finding may be for an action to follow: `30m`, `24h`."""

    irreversible: str = "30m"
    reversible: str = "24h"

    def limit(self, *, reversible: bool) -> timedelta:
        """The age limit of an action that can, or cannot, be undone."""
        return parse_duration(self.reversible if reversible else self.irreversible)


class Protected(StrictValue, frozen=True, kw_only=True):
    """What no action may change. `*` and `?` are wildcards within a segment.

    `workloads` are `namespace/Kind/name`, `clusters` `projects/P/locations/L/clusters/C`. Google's own agents are
    protected whatever stands here.
    """

    namespaces: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()


class Ceiling(StrictValue, frozen=True, kw_only=True):
    """The furthest that any policy may go in an environment: in the clusters and namespaces named, all where empty."""

    name: str
    max_mode: Mode
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


class QuietHours(StrictValue, frozen=True, kw_only=True, rename={"start": "from", "end": "to"}):
    """A time of the week at which policies go less far. `from` after `to` is a night; an empty `days` is every day.

    The day is the one on which the time begins, in `timezone`, an IANA name.
    """

    name: str
    start: str
    end: str
    days: tuple[Day, ...] = ()
    timezone: str = "UTC"
    clusters: tuple[str, ...] = ()
    max_mode: Mode


class Exemption(StrictValue, frozen=True, kw_only=True):
    """Targets that actions leave alone until a day, by whose decision, and why. `actions` are all where empty."""

    name: str
    when: Match
    actions: tuple[str, ...] = ()
    expires: date
    owner: str
    reason: str
    ticket: str


class Approval(StrictValue, frozen=True, kw_only=True):
    """Who may approve what a policy in mode `approve` plans, how many of them it takes, and how long a plan waits."""

    approvers: tuple[str, ...] = ()
    needed: int = 1
    expires: str = "1h"


class StormBreaker(StrictValue, frozen=True, kw_only=True):
    """When so much is to be disrupted, or denied, that a bad rule or an attack is likelier than so many incidents.

    More than `targets` planned, or `denials` by a limit, `within` trips the cluster to dry run until a person resets.
    """

    targets: int = 10
    denials: int = 5
    within: str = "10m"


class Guardrails(StrictValue, frozen=True, kw_only=True):
    """What holds whatever a policy says. `max_mode` is the furthest that any policy can go."""

    protected: Protected
    max_mode: Mode = Mode.ENFORCE
    ceilings: tuple[Ceiling, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    approval: Approval = Approval()
    limits: Limits = Limits()
    storm_breaker: StormBreaker = StormBreaker()
    allowed_keys: AllowedKeys = AllowedKeys()
    max_finding_age: MaxFindingAge = MaxFindingAge()


NONE_GIVEN = Guardrails(protected=Protected(namespaces=("*",)), max_mode=Mode.DRY_RUN)
"""A missing or empty file allows nothing to be enforced."""


def load_guardrails(folder: Path) -> Guardrails:
    """The folder's guardrails; `NONE_GIVEN` where there are none. Raises PolicyError."""
    path = folder / FILE_NAME
    if not path.exists() or not path.read_bytes().strip():
        return NONE_GIVEN
    return read_document(path, Guardrails, mistakes)


def mistakes(guardrails: Guardrails) -> Iterator[Mistake]:
    """Everything in guardrails that could not hold, or that nobody means."""
    for scope in guardrails.limits.__struct_fields__:
        for index, limit in enumerate(getattr(guardrails.limits, scope)):
            yield from limit_mistakes(limit, ("limits", scope, index))
    for index, exemption in enumerate(guardrails.exemptions):
        yield from match_mistakes(exemption.when, ("exemptions", index, "when"))
    for part, field in (("approval", "expires"), ("storm_breaker", "within")):
        yield from duration_mistakes(getattr(getattr(guardrails, part), field), (part, field))
    for field in guardrails.max_finding_age.__struct_fields__:
        yield from duration_mistakes(getattr(guardrails.max_finding_age, field), ("max_finding_age", field))
