"""What doctor asks of Google for evidence: what a policy and the settings want, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from scc_responder.cli.doctor.doctor_sources import finding_probes, source_probes
from scc_responder.workbench.needed_permissions import Need
from tests.kits.settings import local_settings

COLLECTOR = f"europe-docker.pkg.dev/example-project/security/collector@sha256:{'a' * 64}"
LISTED = "projects/shop/locations/europe/repositories/images"
LOGS, IMAGES = "logging.logEntries.list", "artifactregistry.repositories.downloadArtifacts"
PROJECTS = ("shop", "stage")


def probes(
    permissions: Sequence[str] = (),
    *,
    logs: Any = None,
    registry: Any = None,
    run_projects: Sequence[str] = (),
    **given: str,
) -> Sequence[Any]:
    """What is probed, by name, where policies need these permissions and settings give this."""
    needs = [Need(permission=name, by={}) for name in permissions]
    services = SimpleNamespace(logs=logs, registry=registry, security_center=None)
    found = source_probes(services, local_settings(**given), PROJECTS, needs, run_projects)
    return [(name, probed) for name, probed, _ in found]


def test_a_deployment_that_wants_none_of_it_asks_nothing() -> None:
    """No policy reads logs or looks into containers, and settings name no collector."""
    assert probes() == []


@pytest.mark.parametrize(("permissions", "logs"), [([LOGS], None), ([], object()), ([IMAGES], object())])
def test_logs_are_asked_for_only_by_both_policy_and_settings(permissions: list[str], logs: Any) -> None:
    """A deployment that may not read them is asked nothing, nor one whose policies do not."""
    assert probes(permissions, logs=logs) == []


def test_logs_are_asked_for_in_each_project_of_the_clusters() -> None:
    """By name, in their order."""
    assert probes([LOGS], logs=object()) == [("logs.list", "shop"), ("logs.list", "stage")]


def test_logs_are_asked_for_where_cloud_run_is_read_too() -> None:
    """Each project once."""
    found = probes([LOGS], logs=object(), run_projects=["web", "shop"])
    assert found == [("logs.list", "shop"), ("logs.list", "stage"), ("logs.list", "web")]


def test_the_collectors_log_is_looked_for_though_no_log_may_be_read() -> None:
    """It leaves the node whether or not this deployment reads Cloud Logging; with clusters of a file, nobody knows."""
    assert probes(COLLECTOR=COLLECTOR) == [("logs.exclusion", "shop"), ("logs.exclusion", "stage")]
    assert probes(COLLECTOR=COLLECTOR, CLUSTERS_FILE="clusters.yaml") == []


def test_each_listed_repository_is_asked_where_a_policy_looks() -> None:
    """And none where no policy does."""
    listed = {"registry": object(), "IMAGE_REPOSITORIES": LISTED}
    assert probes([IMAGES], **listed) == [("images.read", LISTED)]
    assert probes([LOGS], **listed) == []


def test_what_sends_findings_is_asked_for_where_settings_name_it() -> None:
    """Where a folder stands for Security Command Center, nobody sends any."""
    config = '{"name": "organizations/1/locations/global/notificationConfigs/r", "pubsub_topic": "t", "filter": ""}'
    named = [("findings.config", "organizations/1/locations/global/notificationConfigs/r")]
    services = SimpleNamespace(findings=None, security_center=None)
    told = [
        [(name, probed) for name, probed, _ in finding_probes(services, local_settings(**given), "")]
        for given in ({"NOTIFICATION_CONFIG": config}, {"NOTIFICATION_CONFIG": config, "FINDINGS": "findings"})
    ]
    assert [told[0][-1:], told[1]] == [named, [("findings.list", "findings")]]
