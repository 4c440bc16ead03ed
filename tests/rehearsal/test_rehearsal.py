"""What Terraform would deploy contains a pod, on this machine, with nothing changed but addresses."""

from __future__ import annotations

from pathlib import Path

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.status import CaseState
from scc_responder.settings import read_settings
from tests.cluster import objects
from tests.e2e.served import unzip
from tests.kits.responder import CONTAINED, mutations
from tests.rehearsal.local import ADDED, REPLACED
from tests.rehearsal.rendered import Rendered
from tests.rehearsal.stage import Served, Stage
from tests.rehearsal.timeline import timeline
from tests.rehearsal.zipped import AT_ONCE, entries
from tests.requirements import NOTE

pytestmark = pytest.mark.timeout(300)

STEPS = [
    *CONTAINED[: CONTAINED.index("capture_evidence: captured")],
    "capture_logs: captured",
    "capture_evidence: captured",
    "sever_connections: no_collector_image",
    "freeze_process: no_collector_image",
    "cordon_node: patched",
    "inspect_container: no_collector_image",
    "delete_pod: armed",
    "delete_pod: processes_ended",
    "capture_cloud_logs: logging_permission_denied",
    "notify: published",
]
"""What the shipped pack comes to about malware, as the module deploys it: no collector, no Cloud Logging."""
WRITES = [*(3 * ["patch pods"]), "create networkpolicies", "patch nodes", "patch pods", "delete pods"]


def test_a_published_finding_ends_contained(served: Served, record_property: pytest.RecordProperty) -> None:
    """A finding published on Pub/Sub ends contained, with the shipped roles alone, by the API server's audit log."""
    response = served.respond(served.stage.victim(), until={CaseState.DONE, CaseState.PARTIAL, CaseState.HELD})

    assert (response.case.state, response.steps) == (CaseState.DONE, STEPS), response.log
    assert list(mutations(response.writes)) == WRITES
    assert [str(event) for event in response.audit if event.code in {401, 403, 422}] == []
    assert [delivery.status for delivery in response.deliveries] == [204]
    path = f"/api/v1/namespaces/{response.pod.namespace}/pods/{response.pod.name}"
    objects.await_end(served.stage.plane.admin, path)
    told = timeline(response)
    assert list(told.values()) == sorted(told.values())
    moments = ", ".join(f"{name} {milliseconds}" for name, milliseconds in told.items())
    record_property(NOTE, f"Rehearsal, milliseconds from publish: {moments}.")


def test_the_rehearsed_zip_is_the_uploaded_one(enforcing: Path, answering: Path, tmp_path: Path) -> None:
    """The zip that is rehearsed is the one that is uploaded, but for modes, the first wait, and who may approve."""
    unzip(tmp_path)
    shipped, rehearsed = entries(tmp_path / "bundle.zip"), entries(enforcing.parent / "bundle.zip")
    of_run = entries(answering.parent / "bundle.zip")

    assert shipped.keys() == rehearsed.keys() == of_run.keys()
    differing = {name for name in shipped if shipped[name] != rehearsed[name]}
    assert differing
    assert {name.partition("/")[0] for name in differing} == {"policies"}
    acting = {b"\nmode: dry_run\n": b"\nmode: enforce\n", b"\nwarm_up: 60s\n": b"\nwarm_up: 0s\n"}
    for name in differing:
        expected = shipped[name]
        for line, other in acting.items():
            expected = expected.replace(line, other)
        assert not name.endswith(".yaml") or rehearsed[name] == expected
    named = {name for name in shipped if shipped[name] != of_run[name]}
    assert {name for name in named if name.endswith(".yaml")} == {
        "policies/guardrails.yaml",
        f"policies/{AT_ONCE}.yaml",
    }
    assert {name.partition("/")[0] for name in named} == {"policies"}


def test_every_setting_is_the_rendered_one(stage: Stage) -> None:
    """Every setting is the rendered one but those of the table, each of which the function refuses on Cloud Run."""
    rendered, local = stage.rendered.environment, stage.environment
    changed = {name for name in rendered if local[name] != rendered[name]}
    assert changed == REPLACED.keys()
    for name in REPLACED.keys() | ADDED.keys():
        with pytest.raises(SettingsError, match=name):
            read_settings({**rendered, name: local[name], "K_SERVICE": "scc-responder"}, Path("policies"))


def test_subscriptions_take_the_rendered_settings(served: Served, rendered: Rendered) -> None:
    """The emulator has taken the rendered settings: deadline, back-off, attempts, dead letters, time to keep."""
    values = rendered.state["google_pubsub_subscription.push"]
    push = served.stage.pubsub.settings(served.subscriptions[0].name)

    assert push.ack_deadline_seconds == values["ack_deadline_seconds"]
    assert push.dead_letter_policy.max_delivery_attempts == values["dead_letter_policy"][0]["max_delivery_attempts"]
    assert push.dead_letter_policy.dead_letter_topic == rendered.topic("dead-letters")
    assert f"{push.retry_policy.minimum_backoff.seconds}s" == values["retry_policy"][0]["minimum_backoff"]
    assert f"{push.retry_policy.maximum_backoff.seconds}s" == values["retry_policy"][0]["maximum_backoff"]
    assert f"{int(push.message_retention_duration.total_seconds())}s" == values["message_retention_duration"]
