"""Which probes a deployment gets, by its settings; those of a deployment on this machine are asked."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from scc_responder.cli.doctor.doctor_clusters import Wanted
from scc_responder.cli.doctor.doctor_probes import GROUPS, Doctor
from scc_responder.domain.clock import utc_now
from scc_responder.workbench.doctor.check import Check, CheckResult
from scc_responder.workbench.doctor.collector_checks import EXCLUSION_FILTER
from scc_responder.workbench.stores import open_store
from tests.cli.commands import free_port
from tests.kits.google.logging_server import SinksServer
from tests.kits.image_registry import ImageRegistry
from tests.kits.responder import CLUSTER, SOURCE, policy, write_policies

COLLECTOR = f"europe-docker.pkg.dev/example-project/tools/collector@sha256:{'0' * 64}"
SUBSCRIPTION = "projects/example-project/subscriptions/push"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A deployment with all on this machine; no server of Google's is there."""
    nobody = f"127.0.0.1:{free_port()}"
    for name in ("evidence", "findings"):
        (tmp_path / name).mkdir()
    return {
        "SCC_RESPONDER_CLUSTERS": CLUSTER,
        "SCC_RESPONDER_SOURCES": SOURCE,
        "SCC_RESPONDER_STORE": f"sqlite:///{tmp_path / 'journal.db'}",
        "SCC_RESPONDER_EVIDENCE": f"file://{tmp_path / 'evidence'}",
        "SCC_RESPONDER_FINDINGS": str(tmp_path / "findings"),
        "SCC_RESPONDER_POLICIES": str(write_policies(tmp_path / "policies", policy("label_pod"))),
        "SCC_RESPONDER_SCC_ENDPOINT": nobody,
        "SCC_RESPONDER_GKE_ENDPOINT": nobody,
        "PUBSUB_EMULATOR_HOST": nobody,
        "STORAGE_EMULATOR_HOST": f"http://{nobody}",
    }


def examined(
    environment: Mapping[str, str], *only: str, clusters: Wanted | None = None, seconds: float = 30.0
) -> list[Check]:
    """The checks of these groups, or of all."""
    with Doctor(environment, clock=utc_now, clusters=clusters, only=only or GROUPS) as doctor:
        return doctor.examined(seconds, lambda answers, _total: answers)


def jobs(environment: Mapping[str, str], only: Sequence[str]) -> list[str]:
    """The names of the probes, of which none is asked."""
    with Doctor(environment, clock=utc_now, only=only) as doctor:
        doctor.prepared(1.0)
        return [job.name for job in doctor.jobs()]


@pytest.mark.parametrize(
    ("only", "names"),
    [
        (["delivery"], ["delivery.subscription"]),
        (["store"], ["identity", "store"]),
        (["cluster", "outcomes"], ["identity", "outcomes.topic", "cluster.reached"]),
        (["evidence", "findings"], ["identity", "findings.list", "evidence.write"]),
    ],
)
def test_a_group_brings_the_identity_probe(environment: dict[str, str], only: list[str], names: list[str]) -> None:
    """Probes come in a fixed order. Whose credentials doctor has matters to all but the delivery."""
    assert jobs(environment, only) == names


@pytest.mark.parametrize("name", ["STORE", "CLUSTERS", "SOURCES", "SCOPE", "TIMEOUT_SECONDS"])
def test_an_unusable_setting_stops_all_checks(environment: dict[str, str], name: str) -> None:
    """A setting that is no such thing is named, and nothing is asked then."""
    environment[f"SCC_RESPONDER_{name}"] = "?"
    (check,) = examined(environment)
    assert (check.name, check.result) == ("settings", CheckResult.FAULT)
    assert f"SCC_RESPONDER_{name}" in check.why
    assert "terraform output -raw settings" in check.fix


def test_each_part_on_this_machine_is_examined(environment: dict[str, str]) -> None:
    """What is on this machine is looked at there; what only Google has is unknown or at fault, each with its reason."""
    open_store(environment["SCC_RESPONDER_STORE"].removeprefix("sqlite:///")).close()
    told = {check.name: (check.result, check.reason) for check in examined(environment)}
    assert told["settings"] == told["evidence.write"] == (CheckResult.OK, "")
    assert told["findings.list"] == (CheckResult.SKIPPED, "local_findings")
    assert told["control"] == (CheckResult.FAULT, "control_missing")
    assert told["identity"][0] is told["delivery.subscription"][0] is CheckResult.UNKNOWN
    assert told["cluster.found"] == (CheckResult.FAULT, "gke_unavailable")


@pytest.mark.parametrize(
    ("setting", "value", "name", "reason"),
    [
        ("EVIDENCE", "", "evidence.write", "evidence_not_set"),
        ("EVIDENCE", "file:///nowhere/at/all", "evidence.write", "evidence_not_writable"),
        ("EVIDENCE", "gs://example-evidence/cases", "evidence.write", "storage_unreachable"),
        ("STORE", "sqlite:////nowhere/at/all.db", "store", "no_store"),
        ("FINDINGS", "", "findings.list", "scc_unavailable"),
        ("SUBSCRIPTION", SUBSCRIPTION, "delivery.subscription", "pubsub_unavailable"),
        ("CLUSTERS", "projects/other/locations/*/clusters/*", "cluster.listed", "gke_unavailable"),
    ],
)
def test_a_part_that_is_not_there_is_named(
    environment: dict[str, str], setting: str, value: str, name: str, reason: str
) -> None:
    """A part of the deployment that is not there is told by its reason."""
    environment |= {f"SCC_RESPONDER_{setting}": value, "SCC_RESPONDER_SCOPE": "organizations/1"}
    (check,) = (check for check in examined(environment, name.partition(".")[0]) if check.name == name)
    assert check.reason == reason


def test_the_collectors_log_is_looked_for(environment: dict[str, str]) -> None:
    """In the project of each cluster, where settings name a collector, and nowhere else."""
    with SinksServer() as sinks:
        environment |= {"SCC_RESPONDER_LOGGING_ENDPOINT": sinks.endpoint}
        assert "logs.exclusion" not in jobs(environment, ["cluster"])
        environment |= {"SCC_RESPONDER_COLLECTOR": COLLECTOR}
        (missing,) = (check for check in examined(environment, "cluster") if check.name == "logs.exclusion")
        sinks.exclude(missing.probed, "collector", EXCLUSION_FILTER)
        (there,) = (check for check in examined(environment, "cluster") if check.name == "logs.exclusion")
    assert missing.probed == CLUSTER.split("/")[1]
    assert (missing.reason, there.result) == ("log_exclusion_missing", CheckResult.OK)


def test_repositories_of_images_are_asked(environment: dict[str, str], tmp_path: Path) -> None:
    """Where settings list some, and a policy looks into containers."""
    token = tmp_path / "token"
    token.write_text("token-1")
    with ImageRegistry() as images:
        environment |= {
            "SCC_RESPONDER_IMAGE_REPOSITORIES": "projects/shop/locations/europe/repositories/images",
            "SCC_RESPONDER_REGISTRY_ENDPOINT": images.host,
            "SCC_RESPONDER_KUBERNETES_TOKEN_FILE": str(token),
        }
        assert "images.read" not in jobs(environment, ["cluster"])
        environment["SCC_RESPONDER_POLICIES"] = str(write_policies(tmp_path / "looks", policy("inspect_container")))
        (check,) = (check for check in examined(environment, "cluster") if check.name == "images.read")
    assert (check.result, check.why) == (CheckResult.OK, "artifactregistry.repositories.downloadArtifacts")


def test_a_late_answer_is_no_answer(environment: dict[str, str]) -> None:
    """A probe that has not answered at the deadline is told as such, with what it asked about."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        environment["SCC_RESPONDER_GKE_ENDPOINT"] = f"127.0.0.1:{silent.getsockname()[1]}"
        checks = examined(environment, "cluster", seconds=0.2)
    assert ("cluster.reached", CLUSTER, "no_answer_in_time") in {
        (check.name, check.probed, check.reason) for check in checks
    }
