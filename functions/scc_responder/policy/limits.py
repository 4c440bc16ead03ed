"""Limits on how much may be disrupted within a time, as people write them, and the defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from typing import Literal

from scc_responder.domain.duration import parse_duration
from scc_responder.domain.value import StrictValue
from scc_responder.policy.mistakes import DocumentPath, Mistake

_SHARE = re.compile(r"(?:[1-9][0-9]?|100)%", re.ASCII)


class Limit(StrictValue, frozen=True, kw_only=True):
    """At most so many different pods, or nodes, within a time: `{most: 3, of: pods, within: 10m}`.

    `most` is a number, or a share (`25%`) of the workload's replicas or the pool's nodes, of which one is always
    allowed. A target counts once, however many actions change it; actions that disrupt nothing do not count.
    """

    most: int | str
    within: str
    of: Literal["pods", "nodes"] = "pods"


class Limits(StrictValue, frozen=True, kw_only=True):
    """The limits of each scope, each counted on its own: by workload, namespace, node, pool, cluster and altogether."""

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
    organization: tuple[Limit, ...] = (Limit(most=20, within="1h"),)


def limit_mistakes(limit: Limit, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with one limit, of guardrails or of a policy."""
    most = limit.most
    if isinstance(most, str) and not _SHARE.fullmatch(most):
        yield Mistake(path=(*path, "most"), text=f"{most!r} is no share; write a number, or 1% to 100%")
    if isinstance(most, int) and most < 1:
        yield Mistake(path=(*path, "most"), text=f"{most} would allow nothing; to allow nothing, use mode: disabled")
    yield from duration_mistakes(limit.within, (*path, "within"))


def duration_mistakes(text: str, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with a length of time."""
    try:
        length = parse_duration(text)
    except ValueError as error:
        yield Mistake(path=path, text=str(error))
    else:
        if not length:
            yield Mistake(path=path, text=f"{text!r} is no time at all; write a longer one, such as 10m")


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
