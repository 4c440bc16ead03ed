"""Each metric counts the deliveries it is named after: its filter is applied to lines that the pipeline wrote."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.kits.google.logging_server import LoggingServer
from tests.terraform.checking import OwnTests
from tests.terraform.log_entries import WrittenLines, entry, extract
from tests.terraform.promises import of_type
from tests.terraform.written_lines import Lines


@pytest.fixture(scope="module")
def metrics(tested: OwnTests) -> dict[str, dict[str, Any]]:
    """The metrics by name."""
    return {
        values["name"]: values for values in of_type(tested.states()["scopes/organization"], "google_logging_metric")
    }


HELD = {"held", "access lost", "not onboarded"}
LOWERED = {"heartbeat in dry run", "heartbeat switched off"}
EVERY = {
    *("contained", "duplicate", "held", "held of low severity", "not listed yet", "inactive", "junk", "swept"),
    *("dry run", "only marked", "failed", "heartbeat", "held in a rehearsal", "refused in a rehearsal"),
    *("to be approved", "approved", "to be rejected", "rejected", "expired"),
    *("access lost", "not onboarded", "heartbeat without a switch", *LOWERED),
    *("config as made", "config changed", "config gone", "config unread", "no finding for long"),
    "notice undeliverable",
}
COUNTED = {
    "deliveries": EVERY,
    "changed": {"contained", "approved"},
    "contained_seconds": {"contained", "approved"},
    "held": {"held of low severity"},
    "held_severe": {*HELD, "expired"},
    "rehearsed": {"dry run", "held in a rehearsal", "refused in a rehearsal"},
    "failed": {"failed"},
    "heartbeats": {"heartbeat", "heartbeat without a switch", *LOWERED},
    "access_lost": {"access lost"},
    "control_lowered": LOWERED,
    "control_unset": {"heartbeat without a switch"},
    "sweeps": {"swept"},
    "waiting": {"to be approved", "to be rejected"},
}


@pytest.mark.parametrize("name", COUNTED)
def test_a_metric_counts_exactly_its_lines(metrics: dict[str, dict[str, Any]], told: WrittenLines, name: str) -> None:
    """A metric counts the lines that it is named after, and no other."""
    assert told.lines.keys() == EVERY
    assert told.chosen(metrics[f"scc-responder/{name}"]["filter"]) == COUNTED[name]


def test_counts_its_own(metrics: dict[str, dict[str, Any]], lines: Lines) -> None:
    """What another service of the project writes is not counted."""
    with LoggingServer() as server:
        foreign = WrittenLines(server, lines, "another")
        assert not [name for name, values in metrics.items() if foreign.chosen(values["filter"])]


def test_every_metric_is_tried(metrics: dict[str, dict[str, Any]]) -> None:
    """There is a test for each metric."""
    assert {f"scc-responder/{name}" for name in COUNTED} == metrics.keys()


def test_counters_tell_by_reason(metrics: dict[str, dict[str, Any]], lines: Lines) -> None:
    """The counters tell by reason, and every line has one."""
    counters = [values for values in metrics.values() if not values["value_extractor"]]
    for values in counters:
        assert values["label_extractors"].keys() == {label["key"] for label in values["metric_descriptor"][0]["labels"]}
        for line in lines.values():
            assert extract(values["label_extractors"]["reason"], entry(line)) == json.loads(line)["message"][15:]
    assert len(counters) == len(COUNTED) - 1


def test_time_to_contain(metrics: dict[str, dict[str, Any]], lines: Lines) -> None:
    """The time to contain is taken from the line as a number of seconds, within the buckets."""
    values = metrics["scc-responder/contained_seconds"]
    seconds = extract(values["value_extractor"], entry(lines["contained"]))
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

    assert {name for name in made if f'{name}\\"' in shown} == made
    assert _named(shown) | _named(alerts) <= made


def _named(text: str) -> set[str]:
    return {
        part.split('\\"')[0]
        for part in text.replace('\\\\"', '\\"').split('metric.type=\\"')[1:]
        if "/user/" in part[:40]
    }
