"""Limits on how much may be disrupted within a time, as people write them, and the defaults."""

from __future__ import annotations

from datetime import timedelta
from functools import cache
from typing import Annotated, Literal

from scc_responder.domain.duration import parse_duration
from scc_responder.domain.value import StrictValue, between

Share = Annotated[str, between("1%", "100%")]
"""A whole percentage."""


class Limit(StrictValue, frozen=True, kw_only=True):
    """At most so many different pods, nodes, or services, within a time: `{most: 3, of: pods, within: 10m}`.

    `services` are services and jobs of Cloud Run, and their revisions and executions where these are changed. `most` is
    a number, or a share (`25%`) of the workload's replicas or the pool's nodes, of which one is always allowed. A
    target counts once, however many actions change it; actions that disrupt nothing do not count.
    """

    most: Annotated[int, between(1, 10_000)] | Share
    within: Annotated[str, between("1s", "30d")]
    of: Literal["pods", "nodes", "services"] = "pods"


class Limits(StrictValue, frozen=True, kw_only=True):
    """The limits of each scope, each counted on its own, from the workload to all projects together.

    `service` is one service or job of Cloud Run. `project` counts over all clusters and services of a project.
    """

    owner: tuple[Limit, ...] = (Limit(most="25%", within="10m"),)
    namespace: tuple[Limit, ...] = (Limit(most=3, within="10m"),)
    node: tuple[Limit, ...] = (Limit(most=5, within="10m"),)
    node_pool: tuple[Limit, ...] = (
        Limit(most=1, of="nodes", within="10m"),
        Limit(most="10%", of="nodes", within="24h"),
    )
    cluster: tuple[Limit, ...] = (
        Limit(most=5, within="10m"),
        Limit(most=20, within="24h"),
        Limit(most=3, of="nodes", within="24h"),
    )
    service: tuple[Limit, ...] = (Limit(most=3, of="services", within="1h"),)
    project: tuple[Limit, ...] = (
        Limit(most=3, of="services", within="10m"),
        Limit(most=10, of="services", within="24h"),
    )
    organization: tuple[Limit, ...] = (Limit(most=20, within="1h"), Limit(most=20, of="services", within="1h"))


class IsolationLimits(StrictValue, frozen=True, kw_only=True):
    """The limits of what cuts a pod off and can be undone, each scope counted on its own: only pods are counted.

    Every replica of one workload may be cut off. Beyond the share that `Limits.owner` allows, each pod needs a finding
    of its own that is likely at least.
    """

    owner: tuple[Limit, ...] = ()
    namespace: tuple[Limit, ...] = (Limit(most=10, within="10m"),)
    node: tuple[Limit, ...] = ()
    cluster: tuple[Limit, ...] = (Limit(most=30, within="10m"),)
    organization: tuple[Limit, ...] = (Limit(most=60, within="1h"),)


def allowed_count(limit: Limit, share_of: int | None = None) -> int:
    """How many targets the limit allows. A share always allows one; only one if `whole` is not known (None).

    >>> allowed_count(Limit(most="25%", within="10m"), 10)
    2
    """
    if isinstance(limit.most, int):
        return limit.most
    return max(1, (share_of or 0) * int(limit.most.removesuffix("%")) // 100)


@cache
def window(limit: Limit) -> timedelta:
    """The time within which the limit counts."""
    return parse_duration(limit.within)
