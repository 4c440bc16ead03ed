"""Each metric counts the deliveries it is named after: its filter is run on lines that the pipeline wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.guard.kill_switch import GLOBAL
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.delivery_log import DeliveryLog
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.cluster import objects
from tests.kits.responder import ALL, NODE, SPARE_NODE, Deployment, Interposed, deployed, finding_about, policy
from tests.pipeline.test_heartbeat import MESSAGE as BEAT
from tests.terraform.checking import OwnTests
from tests.terraform.log_entries import Entry, entry, extract, selects
from tests.terraform.promises import of_type

Lines = dict[str, str]
SERVICE = "scc-responder"


def written(deployment: Deployment) -> list[str]:
    """The lines that the deployment writes from now on, as they are."""
    lines: list[str] = []
    deployment.services.tell = lines.append
    return lines


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lines]:
    """One line for each way that a delivery can end, written by the pipeline on a simulated cluster."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        cluster.create(objects.namespace("shop"))
        cluster.create(objects.namespace("kube-system"))
        for name in (NODE, SPARE_NODE):
            cluster.create(objects.node(name))
        cluster.create(objects.deployment("web", "shop", NODE, replicas=10))
        cluster.create(objects.deployment("dns", "kube-system", NODE))
        yield dict(_deliveries(cluster, tmp_path_factory))


def _deliveries(cluster: SimulatedCluster, folders: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    pods = iter(cluster.objects("Pod", "shop"))

    def deployment(*policies: str) -> tuple[Deployment, list[str]]:
        made = deployed(folders.mktemp("deployment"), cluster, *policies)
        return made, written(made)

    one, lines = deployment(policy(*ALL))
    contained = finding_about(next(pods))
    one.respond_to(contained)
    yield "contained", lines[-1]
    one.deliver(contained)
    yield "duplicate", lines[-1]
    one.respond_to(finding_about(cluster.objects("Pod", "kube-system")[0], finding_id="held"))
    yield "held", lines[-1]
    one.deliver(finding_about(next(pods), finding_id="not-listed"))
    yield "not listed yet", lines[-1]
    one.respond_to(finding_about(next(pods), finding_id="inactive", finding={"state": "INACTIVE"}))
    yield "inactive", lines[-1]
    one.push(b"junk")
    yield "junk", lines[-1]

    one, lines = deployment(policy(*ALL, mode="dry_run"))
    one.respond_to(finding_about(next(pods)))
    yield "dry run", lines[-1]
    one.respond_to(finding_about(cluster.objects("Pod", "kube-system")[0], finding_id="held-in-rehearsal"))
    yield "held in a rehearsal", lines[-1]
    one.clusters.api = Interposed(one.clusters.api, before=_refuse)
    one.respond_to(finding_about(next(pods), finding_id="refused-in-rehearsal"))
    yield "refused in a rehearsal", lines[-1]

    one, lines = deployment(policy("label_pod", "notify"))
    one.respond_to(finding_about(next(pods)))
    yield "only marked", lines[-1]

    one, lines = deployment(policy("isolate_pod"))
    one.clusters.api = Interposed(one.clusters.api, before=_refuse)
    one.respond_to(finding_about(next(pods)))
    yield "failed", lines[-1]
    yield "heartbeat", DeliveryLog(datetime.now(UTC)).line(Ending(status=204, reason="heartbeat"), "")
    one.clusters.api = Interposed(one.clusters.api, before=_refuse_all)
    one.respond_to(finding_about(next(pods), finding_id="access-lost"))
    yield "access lost", lines[-1]

    one, lines = deployment(policy("label_pod"))
    one.clusters.api = Interposed(one.clusters.api, before=_refuse_all)
    one.respond_to(finding_about(next(pods)))
    yield "not onboarded", lines[-1]

    one, lines = deployment(policy("label_pod"))
    one.services.findings = Unlisted()
    one.services.store.delete(GLOBAL, one.services.store.get(GLOBAL).version)
    one.deliver(BEAT)
    yield "heartbeat without a switch", lines[-1]


class Unlisted:
    """`ports.Findings` of a source without findings."""

    def read(self, _finding: Finding) -> None:
        return None


def _refuse_all(_number: int, verb: str, path: str) -> None:
    raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission=f"{path}: {verb}")


def _refuse(_number: int, verb: str, path: str) -> None:
    if verb == "create" and "networkpolicies" in path:
        raise ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="networkpolicies: create")


@pytest.fixture(scope="module")
def metrics(tested: OwnTests) -> dict[str, dict[str, Any]]:
    """The metrics by name."""
    return {
        values["name"]: values for values in of_type(tested.states()["scopes/organization"], "google_logging_metric")
    }


EVERY = {
    *("contained", "duplicate", "held", "not listed yet", "inactive", "junk"),
    *("dry run", "only marked", "failed", "heartbeat"),
    *("held in a rehearsal", "refused in a rehearsal"),
    *("access lost", "not onboarded", "heartbeat without a switch"),
}
COUNTED = [
    pytest.param("scc-responder/deliveries", EVERY, id="deliveries"),
    pytest.param("scc-responder/contained_seconds", {"contained"}, id="contained_seconds"),
    pytest.param("scc-responder/held", {"held", "access lost", "not onboarded"}, id="held"),
    pytest.param(
        "scc-responder/rehearsed", {"dry run", "held in a rehearsal", "refused in a rehearsal"}, id="rehearsed"
    ),
    pytest.param("scc-responder/failed", {"failed"}, id="failed"),
    pytest.param("scc-responder/heartbeats", {"heartbeat", "heartbeat without a switch"}, id="heartbeats"),
    pytest.param("scc-responder/access_lost", {"access lost"}, id="access_lost"),
    pytest.param("scc-responder/control_unset", {"heartbeat without a switch"}, id="control_unset"),
]


@pytest.mark.parametrize(("name", "counted"), COUNTED)
def test_a_metric_counts_exactly_its_lines(
    metrics: dict[str, dict[str, Any]], lines: Lines, name: str, counted: set[str]
) -> None:
    """A metric counts the lines that it is named after, and no other."""
    found = {ending for ending, line in lines.items() if selects(metrics[name]["filter"], entry(line, SERVICE))}

    assert lines.keys() == EVERY
    assert found == counted


def test_counts_its_own(metrics: dict[str, dict[str, Any]], lines: Lines) -> None:
    """What another service of the project writes is not counted."""
    foreign = [entry(line, "another") for line in lines.values()]

    assert not [name for name, values in metrics.items() for one in foreign if selects(values["filter"], one)]


def test_every_metric_is_tried(metrics: dict[str, dict[str, Any]]) -> None:
    """There is a test for each metric."""
    assert {case.values[0] for case in COUNTED} == metrics.keys()


def test_counters_tell_by_reason(metrics: dict[str, dict[str, Any]], lines: Lines) -> None:
    """The counters tell by reason, and every line has one."""
    counters = [values for values in metrics.values() if not values["value_extractor"]]
    for values in counters:
        assert values["label_extractors"].keys() == {label["key"] for label in values["metric_descriptor"][0]["labels"]}
        for line in lines.values():
            assert (
                extract(values["label_extractors"]["reason"], entry(line, SERVICE)) == json.loads(line)["message"][15:]
            )
    assert len(counters) == 7


def test_time_to_contain(metrics: dict[str, dict[str, Any]], lines: Lines) -> None:
    """The time to contain is taken from the line as a number of seconds, within the buckets."""
    values = metrics["scc-responder/contained_seconds"]
    seconds = extract(values["value_extractor"], entry(lines["contained"], SERVICE))
    (buckets,) = values["bucket_options"][0]["exponential_buckets"]
    largest = buckets["scale"] * buckets["growth_factor"] ** buckets["num_finite_buckets"]

    assert isinstance(seconds, float)
    assert 0 <= seconds < largest
    assert largest > 24 * 3600


def test_alerts_and_charts_name_metrics(tested: OwnTests, metrics: dict[str, dict[str, Any]]) -> None:
    """Every metric of ours that an alert or a chart shows is one that is made, and each is on the dashboard."""
    state = tested.states()["scopes/organization"]
    shown = state["google_monitoring_dashboard.responder"]["dashboard_json"]
    alerts = json.dumps([values["conditions"] for values in of_type(state, "google_monitoring_alert_policy")])
    made = {f"logging.googleapis.com/user/{name}" for name in metrics}

    assert {name for name in made if name in shown} == made
    assert _named(shown) | _named(alerts) <= made


def _named(text: str) -> set[str]:
    return {
        part.split('\\"')[0]
        for part in text.replace('\\\\"', '\\"').split('metric.type=\\"')[1:]
        if "/user/" in part[:40]
    }


PRECEDENCE = [
    pytest.param('a="1" OR b="1" AND c="1"', {"a": 1}, False, id="or-binds-tighter"),
    pytest.param('a="1" OR b="1" AND c="1"', {"b": 1, "c": 1}, True, id="both"),
    pytest.param('NOT a="1" AND c="1"', {"c": 1}, True, id="not"),
    pytest.param('a="1" OR (b="1" AND c="1")', {"a": 1}, True, id="parentheses"),
    pytest.param("a:*", {}, False, id="absent"),
    pytest.param("a>=0", {"b": 1}, False, id="no-number"),
    pytest.param("severity>=ERROR", {"severity": "CRITICAL"}, True, id="severity"),
    pytest.param("severity>=ERROR", {"severity": "WARNING"}, False, id="lower-severity"),
]


@pytest.mark.parametrize(("expression", "found", "selected"), PRECEDENCE)
def test_filters_are_read_like_cloud_logging(expression: str, found: Entry, selected: bool) -> None:
    """Filters are read as Cloud Logging reads them."""
    assert selects(expression, found) is selected
