"""The limits that no policy can lift, owned by the platform team: `policies/guardrails.yaml`, field by field."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import msgspec

from scc_responder.actions import AllowedKeys
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.mode import Mode
from scc_responder.domain.text import LatePattern
from scc_responder.domain.value import StrictValue, between
from scc_responder.policy.hours import Hours
from scc_responder.policy.limits import IsolationLimits, Limits, Share
from scc_responder.policy.match import Match

GUARDRAILS_FILE = "guardrails.yaml"
NO_WARM_UP = "0s"
CALENDAR = ("2000-01-01", "2099-12-31")
"""The days that a date which people write may be."""


class MaxFindingAge(StrictValue, frozen=True, kw_only=True):
    """How old a finding may be for an action to follow: `30m`, `24h`."""

    irreversible: Annotated[str, between("1s", "7d")] = "30m"
    reversible: Annotated[str, between("1s", "30d")] = "24h"

    def limit(self, *, reversible: bool) -> timedelta:
        """The age limit of an action that can, or cannot, be undone."""
        return parse_duration(self.reversible if reversible else self.irreversible)


class Protected(StrictValue, frozen=True, kw_only=True):
    """What no action may change. `*` and `?` are wildcards within a segment.

    `workloads` are `namespace/Kind/name`, of any owner of the pod or of the pod itself; `clusters` are
    `projects/P/locations/L/clusters/C`, `services` are services and jobs of Cloud Run as
    `projects/P/locations/L/services/N` or `.../jobs/N`. `locations` are those of clusters, services and jobs; a region
    has its zones. `nodes` keeps changes off the node itself, not off the pods that run on it.
    `principals` are the accounts that did what an audit-log finding reports. Google's own agents are protected whatever
    stands here.
    """

    namespaces: tuple[str, ...] = ()
    workloads: tuple[str, ...] = ()
    nodes: tuple[str, ...] = ()
    clusters: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    principals: tuple[str, ...] = ()


class Ceiling(StrictValue, frozen=True, kw_only=True):
    """The furthest that any policy may go in an environment: in the clusters and namespaces named, all where empty.

    It holds as well where cluster or namespace are not known. What runs on Cloud Run is in neither.
    With `actions` it holds for policies alone that are about to take one of them: for all that such a policy does.
    """

    name: str
    max_mode: Mode
    clusters: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    actions: tuple[str, ...] = ()


class QuietHours(Hours, frozen=True, kw_only=True):
    """A time of the week at which policies go less far, in the clusters named, in all where empty."""

    name: str
    clusters: tuple[str, ...] = ()
    max_mode: Mode


_ENDS = LatePattern(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?")
Ends = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": f"^{_ENDS.pattern}$"}), between(*CALENDAR)]
"""A last day in UTC, or the moment of an end with its time zone."""


class Exemption(StrictValue, frozen=True, kw_only=True):
    """Targets that actions leave alone for a time, by whose decision, and why.

    `actions` are all where empty. Missing data in `when` counts as a match. `expires` is its last day in UTC, or the
    moment of its end, such as `2026-03-02T12:00Z`.
    """

    name: str
    when: Match
    actions: tuple[str, ...] = ()
    expires: Ends
    owner: str
    reason: str
    ticket: str

    @property
    def ends(self) -> datetime:
        """When it holds no more: at that moment, or after that day. Raises ValueError for what is neither."""
        found = _ENDS.fullmatch(self.expires)
        moment = datetime.fromisoformat(self.expires if found else "")
        is_last_of_all = moment.date() == date.max
        day = timedelta(days=1, microseconds=-1 if is_last_of_all else 0)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC) + day


class ApprovalRules(StrictValue, frozen=True, kw_only=True):
    """Who may approve what a policy in mode `approve` plans, how many of them it takes, and how long a plan waits."""

    approvers: tuple[str, ...] = ()
    needed: Annotated[int, between(1, 20)] = 1
    expires: Annotated[str, between("1s", "7d")] = "1h"


class StormBreaker(StrictValue, frozen=True, kw_only=True):
    """Trips when so much is planned or denied that a bad rule or an attack is more likely than real incidents.

    More than `denials` by a limit `within` a time hold the scope of this limit until a person resets it, and more than
    `targets` planned hold the cluster. The targets of one workload, node pool or service count once in all that is
    wider. They hold the workload alone, where they are more than so many beyond its replicas.
    """

    targets: Annotated[int, between(1, 1000)] = 10
    denials: Annotated[int, between(1, 1000)] = 5
    within: Annotated[str, between("1s", "7d")] = "10m"


class Isolation(StrictValue, frozen=True, kw_only=True):
    """The limits and the breaker of what cuts a pod off and can be undone, apart from everything else."""

    limits: IsolationLimits = IsolationLimits()
    storm_breaker: StormBreaker = StormBreaker(targets=30, denials=10)


class Environment(StrictValue, frozen=True, kw_only=True):
    """Clusters whose limits of the organisation are counted apart, as this share of them.

    A cluster is in the first environment that names it.
    """

    name: str
    clusters: tuple[str, ...]
    share: Share = "100%"


class Acceptable(StrEnum):
    """The warnings of `policy lint` that may be meant."""

    LABEL_OF_THE_POD = "label_of_the_pod"
    LABEL_OF_THE_NAMESPACE = "label_of_the_namespace"
    NAMESPACE_WILDCARD = "namespace_wildcard"
    SERVICE_WILDCARD = "service_wildcard"
    NO_CHAIN = "no_chain"
    NO_EVIDENCE = "no_evidence"
    LIMIT_OFF = "limit_off"
    SHALLOW_PATTERN = "shallow_pattern"


class AcceptedWarning(StrictValue, frozen=True, kw_only=True):
    """A warning about the file it stands in, until the end of a day in UTC: by whose decision, and why."""

    warning: Acceptable
    owner: str
    reason: str
    expires: Annotated[date, between(*CALENDAR)]


class Guardrails(StrictValue, frozen=True, kw_only=True):
    """What holds whatever a policy says. `max_mode` is the furthest that any policy can go.

    `cluster_share` is what each cluster keeps of the organisation's limits on pods and nodes, whatever others used up.
    `keep_serving` are workloads as in `protected`, whose last serving pod is cut off only once a person approved it.
    `accepted` are warnings of `policy lint` about this file.
    `warm_up` is how long a policy's first act in a cluster that cannot be undone waits; `0s`: it does not.
    """

    protected: Protected
    max_mode: Mode = Mode.ENFORCE
    ceilings: tuple[Ceiling, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    approval: ApprovalRules = ApprovalRules()
    limits: Limits = Limits()
    isolation: Isolation = Isolation()
    environments: tuple[Environment, ...] = ()
    cluster_share: Share = "25%"
    keep_serving: tuple[str, ...] = ()
    storm_breaker: StormBreaker = StormBreaker()
    warm_up: Annotated[str, between("0s", "1d")] = NO_WARM_UP
    allowed_keys: AllowedKeys = AllowedKeys()
    max_finding_age: MaxFindingAge = MaxFindingAge()
    accepted: tuple[AcceptedWarning, ...] = ()
