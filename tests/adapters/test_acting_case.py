"""Each request names the case that it is sent for, whichever thread sends it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from scc_responder.adapters.acting_case import CasePool, acting_for, request_reason, user_agent
from scc_responder.adapters.google.cloud_run.run_identities import RunIdentities
from scc_responder.domain.finding import case_id
from scc_responder.intake.notification import parse_notification
from scc_responder.pipeline.bulkheads import ThreadShares
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.compromised_pod import cluster, pod
from tests.kits.responder import ALL, deployed, finding_about, policy

__all__ = ["cluster", "pod"]

PRODUCT = "scc-responder/1"


def test_what_is_sent_for_no_case_names_none() -> None:
    """Before and after a block, and within another one the inner case is named."""
    assert (user_agent(PRODUCT), request_reason()) == (PRODUCT, [])
    with acting_for("a"):
        with acting_for("b"):
            assert user_agent(PRODUCT) == f"{PRODUCT} case/b"
        assert user_agent(PRODUCT) == f"{PRODUCT} case/a"
        assert request_reason() == [("x-goog-request-reason", "scc-responder case a")]
    assert user_agent(PRODUCT) == PRODUCT


def test_a_thread_works_for_whom_it_was_given_the_work() -> None:
    """Also where the work waited, and another case's work let it begin."""
    waits = threading.Event()
    with CasePool(2) as pool:
        shares = ThreadShares(lambda: pool, 2, lambda _key, _since: True)
        with acting_for("a"):
            first = shares.submit("one", lambda: (waits.wait(5), user_agent(PRODUCT))[1])
        with acting_for("b"):
            second = shares.submit("one", lambda: user_agent(PRODUCT))
        waits.set()
        assert (first.result(), second.result()) == (f"{PRODUCT} case/a", f"{PRODUCT} case/b")
        assert pool.submit(user_agent, PRODUCT).result() == PRODUCT


def test_cloud_run_is_told_the_case() -> None:
    """Beside who asks: Google's audit log keeps the reason of a request."""
    identities = RunIdentities("127.0.0.1:1", lambda: None, None, lambda: "writer-1")
    with acting_for("0a0a0a0a0a0a"):
        _, sender = identities.client("services", as_writer=True)
    assert [*sender] == [
        ("x-goog-request-reason", "scc-responder case 0a0a0a0a0a0a"),
        ("authorization", "Bearer writer-1"),
    ]
    identities.close()


def test_the_audit_log_is_joined_to_its_cases(tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]) -> None:
    """Of two deliveries side by side each request is of its own case: reads, changes and logs."""
    made = deployed(tmp_path, cluster, policy(*ALL[:5], "capture_logs"))
    pods = cluster.objects("Pod", "shop")
    documents = [finding_about(each, finding_id=f"f{number}") for number, each in enumerate(pods)]
    for number, document in enumerate(documents):
        made.list_finding(document, f"finding-{number}")
    with ThreadPoolExecutor(2) as senders:
        endings = [*senders.map(made.deliver, documents)]
    assert [ending.status for ending in endings] == [204, 204]
    sent = [event for event in cluster.audit if event.user == "responder"]
    for document, own in zip(documents, pods, strict=True):
        case = case_id(parse_notification(document).key)
        agents = {event.user_agent.partition(" ")[2] for event in sent if event.name == own["metadata"]["name"]}
        assert agents == {f"case/{case}"}
    assert all(" case/" in event.user_agent for event in sent)
