"""What the module's defaults come to at once, against Google's quotas, for terraform/docs/cost-and-quotas.md."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.docs.examples import ROOT
from tests.terraform import hcl

SECONDS = 4
"""What a finding is taken to last."""

SCC_READS = (1, 2)
"""Reads of Security Command Center for one finding."""

SCC_QUOTA, GKE_QUOTA, GATEWAY_QUOTA = 1_000, 3_000, 2_400
"""Google's default quotas, a minute."""

BURST = 10_000
_GOOGLE = "https://docs.cloud.google.com"


class Defaults(NamedTuple):
    """The defaults of Terraform's module that say how much is done at once, and how often a delivery comes again."""

    max_instances: int
    concurrency: int
    cpu: str
    memory: str
    deliveries: int
    first_wait: int
    longest_wait: int

    @property
    def at_once(self) -> int:
        """Findings that are worked on at a time."""
        return self.max_instances * self.concurrency

    @property
    def per_second(self) -> int:
        """Findings that are ended in a second."""
        return self.at_once // SECONDS

    @property
    def hours(self) -> float:
        """How long a delivery that always fails comes again, as back-off doubles, until it is a dead letter."""
        waits = (min(self.longest_wait, self.first_wait * 2**number) for number in range(self.deliveries - 1))
        return sum(waits) / 3600


def defaults() -> Defaults:
    """What the module's variables say."""
    rows = {row.name: row for row in hcl.inputs((ROOT / "terraform" / "variables.tf").read_text())}
    limits, retry = (
        dict(re.findall(r'(\w+) += optional\(\w+, "?([\w.]+)"?\)', rows[name].type)) for name in ("limits", "retry")
    )
    return Defaults(
        max_instances=int(limits["max_instances"]),
        concurrency=int(rows["concurrency"].default),
        cpu=limits["cpu"],
        memory=limits["memory"],
        deliveries=int(retry["max_delivery_attempts"]),
        first_wait=int(retry["minimum_backoff_seconds"]),
        longest_wait=int(retry["maximum_backoff_seconds"]),
    )


def told(requests: int) -> str:
    """The page's paragraph and table, where a finding takes at most that many requests of an API server."""
    given = defaults()
    return "\n\n".join([_at_once(given), _table(given.per_second, requests), _sustained()])


def _at_once(given: Defaults) -> str:
    product = f"{given.max_instances} \N{MULTIPLICATION SIGN} {given.concurrency}"
    return (
        f"By default {product} = {given.at_once} findings are worked on at a time: `max_instances` times `concurrency`."
        " Of one cluster it is half as\nmany: an instance refuses what is more with `cluster_busy`, so that a cluster"
        " that answers late does not stop the others.\n"
        f"If a finding takes {SECONDS} seconds, that is {given.per_second} a second. The first quotas it reaches:"
    )


def _table(per_second: int, requests: int) -> str:
    minute = per_second * 60
    reads = f"{minute * SCC_READS[0]:,} to {minute * SCC_READS[1]:,}{_over(minute * SCC_READS[1], SCC_QUOTA)}"
    clusters = f"{minute:,} where every finding is of another cluster{_over(minute, GKE_QUOTA)}"
    fleet = f"{minute * requests:,} where one fleet has all of them{_over(minute * requests, GATEWAY_QUOTA)}"
    scc, gke = "security-command-center/quotas", "kubernetes-engine/quotas"
    gateway = "kubernetes-engine/enterprise/multicluster-management/gateway/quotas"
    rows = [
        ("quota", "default", "one finding", f"with {per_second} a second", "source"),
        ("---",) * 5,
        (
            "Security Command Center, reads a minute and project",
            f"{SCC_QUOTA:,}",
            f"{SCC_READS[0]} to {SCC_READS[1]}",
            reads,
            _link(scc),
        ),
        ("GKE API, requests a minute and project", f"{GKE_QUOTA:,}, to be checked", "under 1", clusters, _link(gke)),
        (
            "Connect Gateway, requests a minute and fleet",
            f"{GATEWAY_QUOTA:,}",
            f"as the API server: {requests} at most",
            fleet,
            _link(gateway),
        ),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _sustained() -> str:
    slow, fast = (SCC_QUOTA / 60 / number for number in (SCC_READS[1], SCC_READS[0]))
    return (
        f"So a sustained rate is bounded by the smallest quota, here about {slow:.0f} to {fast:.0f} findings a second,"
        f"\nand a burst of {BURST:,} takes {BURST / fast / 60:.0f} to {BURST / slow / 60:.0f} minutes."
    )


def _link(page: str) -> str:
    return f"[quotas]({_GOOGLE}/{page})"


def _over(taken: int, quota: int) -> str:
    return ": **over**" if taken > quota else ""
