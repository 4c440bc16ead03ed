"""The contacts of a finding's project are in its record with their source, and hold nothing up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.entrypoint.console.account_text import account_text
from scc_responder.journal.account.account import account_of
from scc_responder.journal.account.case_facts import facts_in
from scc_responder.pipeline.notices.project_contacts import contacts_of
from scc_responder.policy.routes import ReceiverKind, Route, Routes
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.google.contacts_server import ContactsServer
from tests.kits.responder import Deployment, deployed, finding_about, policy


def telling(folder: Path, cluster: SimulatedCluster, server: ContactsServer) -> Deployment:
    """A deployment with a route of mail that tells contacts, which this server names."""
    made = deployed(folder, cluster, policy("isolate_pod", "notify"))
    route = Route(receiver=ReceiverKind.EMAIL, address="mail", to_contacts=True)
    given = Routes(routes={"ops": route}, fallback=("ops",), contact_domains=("example.com",))
    services = made.services
    services.policies = replace(services.policies, routes=given)
    services.settings = replace(services.settings, contacts_endpoint=server.endpoint, notice_secrets=str(folder))
    services.__dict__["_token"] = lambda: server.token
    return made


def test_the_record_has_the_contacts_of_the_project(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """Apart from those of the finding, and in its account."""
    document = finding_about(pod)
    with ContactsServer() as server:
        server.add("example-project", "platform@example.com", "SECURITY")
        made = telling(tmp_path, cluster, server)
        made.respond_to(document)
    record = made.case(document)
    facts = facts_in(record.decision)
    assert facts is not None
    assert facts.project_contacts == ("platform@example.com",)
    assert "contact of the project: platform[@]example[.]com" in "\n".join(account_text(account_of(record)))
    assert server.asked == ["example-project"]


def test_contacts_that_are_refused_cost_the_case_nothing(
    tmp_path: Path, cluster: SimulatedCluster, pod: dict[str, Any]
) -> None:
    """It ends as it would without them; the log says why nobody is named."""
    document = finding_about(pod)
    with ContactsServer() as server:
        server.answers.append(403)
        made = telling(tmp_path, cluster, server)
        made.respond_to(document)
    record = made.case(document)
    facts = facts_in(record.decision)
    assert facts is not None
    assert (record.state, facts.project_contacts) == ("done", ())
    told = [line["logging.googleapis.com/labels"]["reason"] for line in made.lines if "place" in line]
    assert told == ["essential_contacts_permission_denied"]


@pytest.mark.parametrize("place", ["", "clusters/shop", "folders/1"])
def test_only_a_project_has_contacts(place: str, tmp_path: Path, cluster: SimulatedCluster) -> None:
    """Nothing is asked for a place that no project is in."""
    with ContactsServer() as server:
        assert contacts_of(place, telling(tmp_path, cluster, server).services) == ()
    assert server.asked == []
