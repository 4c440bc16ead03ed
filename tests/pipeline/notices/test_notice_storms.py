"""Thousands of findings within a minute: each is told of once, one by one or in a digest, and none is lost."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.domain.clock import utc_now
from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.finding import Finding
from scc_responder.pipeline.sweep import sweep
from scc_responder.policy.routes import Routes
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.counts import Count
from tests.kits.answers import HERE
from tests.kits.mail_server import mail_server
from tests.kits.notices import mount, routes, with_mail
from tests.kits.responder import Deployment, deployed, finding_about, policy
from tests.kits.web_service import WebService, web_service

STORM = Count("findings of a storm that is told by routes", 500, 10_000)
BURST = 20
MEDIAN_SECONDS = 2.0


class Listed:
    """`ports.Findings` in memory: each finding as it was published."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        return self.documents.get(finding.name)

    def related(self, _finding: Finding) -> Sequence[RelatedFinding]:
        return ()


def storm_of(number: int, pod: Mapping[str, Any], listed: Listed) -> list[dict[str, Any]]:
    """So many findings about one pod, which Security Command Center has."""
    whole = finding_about(pod)
    found = []
    for index in range(number):
        name = f"{whole['finding']['name'].rpartition('/')[0]}/{index:032x}"
        document = {**whole, "finding": {**whole["finding"], "name": name, "canonicalName": name}}
        listed.documents[name] = {"finding": document["finding"], "resource": document["resource"]}
        found.append(document)
    return found


def by_routes(made: Deployment, folder: Path, given: Routes, hooks: Mapping[str, WebService]) -> Listed:
    """Let the deployment tell by these routes, and know findings of a storm."""
    listed = Listed()
    services = made.services
    secrets = mount(folder / "secrets", {name: f"{hook.url}/{name}" for name, hook in hooks.items()})
    services.policies = replace(services.policies, routes=given)
    services.settings = replace(services.settings, notice_secrets=str(secrets))
    services.findings = listed
    del services.notifier
    return listed


def settled(made: Deployment, document: Mapping[str, Any]) -> bool:
    """Whether the finding was settled at last: as from Pub/Sub, it comes again while its cluster has too many."""
    return any(made.deliver(document).status == 204 or time.sleep(0.02) for _ in range(1000))


def test_a_storm_adds_up(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Side by side, with a sweep each minute: what was told one by one and the digests' counts are the findings."""
    with web_service() as hook:
        made = deployed(tmp_path, cluster, policy("notify"))
        listed = by_routes(made, tmp_path, routes("ops", burst=BURST), {"ops": hook})
        documents = storm_of(STORM.number, pod, listed)
        with ThreadPoolExecutor(4) as pool:
            assert all(pool.map(lambda document: settled(made, document), documents))
        begun = utc_now()
        for minute in range(1, 20):
            now = begun + timedelta(minutes=minute)
            made.services.clock = lambda now=now: now
            assert sweep(HERE, "127.0.0.1", made.services).reason == "swept"
        said = [posted.json["data"] for posted in hook.posted]
    alone = [data for data in said if data["kind"] == "outcome"]
    digests = [data["facts"] for data in said if data["kind"] == "digest"]
    assert len({data["card"]["case"] for data in alone}) == len(alone) <= BURST
    assert len(alone) + sum(facts["count"] for facts in digests) == STORM.number
    assert all(sum(facts["by_threat"].values()) == facts["count"] for facts in digests)
    assert 1 <= len(digests) <= 4
    assert not made.services.store.scan("gathered/", limit=1000).entries[1:]
    assert not made.services.store.scan("outbox/").entries


def test_a_notice_is_handed_over_soon(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the push to a webhook's answer, and to a mail server's over TLS: two seconds at the median each.

    Beside them is a receiver that never answers.
    """
    took: dict[str, list[float]] = {"hook": [], "mail": []}
    with ExitStack() as stack:
        hook = stack.enter_context(web_service())
        dead = stack.enter_context(web_service(lambda _: time.sleep(30)))  # type: ignore[arg-type, return-value]
        box = stack.enter_context(mail_server(tmp_path / "certificates"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificates" / "ca.pem"))
        made = deployed(tmp_path, cluster, policy("label_pod", "capture_evidence", "notify"))
        given = with_mail(routes("ops", "dead", burst=1000), tmp_path / "secrets", box.address("oncall@example.com"))
        listed = by_routes(made, tmp_path, given, {"ops": hook, "dead": dead})
        got: dict[str, Sequence[Any]] = {"hook": hook.posted, "mail": box.mails}
        for number, document in enumerate(storm_of(9, pod, listed), 1):
            begun = time.monotonic()
            made.deliver(document)
            while late := [name for name in got if len(took[name]) < number]:
                assert time.monotonic() - begun < 30
                for name in late:
                    took[name] += [time.monotonic() - begun] if len(got[name]) >= number else []
                time.sleep(0.005)
    medians = {name: statistics.median(seconds) for name, seconds in took.items()}
    assert max(medians.values()) < MEDIAN_SECONDS, medians
