"""Words that only Google's servers know: each stands in a list taken from the provider's documentation.

A schema knows that an argument is text, not which text. Where the real provider is asked (`registry`), it says so too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.terraform.checking import OwnTests, State

SECONDS = re.compile(r"\d+s")
ALLOWED: dict[str, set[Any]] = {
    "artifact_registry_repository.format": {"DOCKER"},
    "cloud_scheduler_job.http_target.http_method": {"POST"},
    "cloudfunctions2_function.service_config.ingress_settings": {"ALLOW_INTERNAL_ONLY", "ALLOW_INTERNAL_AND_GCLB"},
    "cloudfunctions2_function.service_config.vpc_connector_egress_settings": {None, "PRIVATE_RANGES_ONLY"},
    "firestore_database.delete_protection_state": {"DELETE_PROTECTION_ENABLED"},
    "firestore_database.point_in_time_recovery_enablement": {"POINT_IN_TIME_RECOVERY_ENABLED"},
    "firestore_database.type": {"FIRESTORE_NATIVE"},
    "logging_metric.metric_descriptor.labels.value_type": {"STRING"},
    "logging_metric.metric_descriptor.metric_kind": {"DELTA"},
    "logging_metric.metric_descriptor.value_type": {"INT64", "DISTRIBUTION"},
    "monitoring_alert_policy.combiner": {"OR"},
    "monitoring_alert_policy.severity": {"CRITICAL", "ERROR", "WARNING"},
    "monitoring_alert_policy.documentation.mime_type": {"text/markdown"},
    "monitoring_alert_policy.conditions.condition_threshold.comparison": {"COMPARISON_GT"},
    "monitoring_alert_policy.conditions.condition_threshold.aggregations.per_series_aligner": {
        "ALIGN_DELTA",
        "ALIGN_MAX",
    },
    "monitoring_alert_policy.conditions.condition_threshold.aggregations.cross_series_reducer": {"REDUCE_SUM"},
    "monitoring_alert_policy.conditions.condition_absent.aggregations.per_series_aligner": {"ALIGN_DELTA"},
    "monitoring_alert_policy.conditions.condition_absent.aggregations.cross_series_reducer": {"REDUCE_SUM"},
    "scc_v2_folder_notification_config.location": {"eu"},
    "scc_v2_organization_notification_config.location": {"global"},
    "scc_v2_project_notification_config.location": {"global"},
    "storage_bucket.public_access_prevention": {"enforced"},
}
DURATIONS = (
    "monitoring_alert_policy.alert_strategy.auto_close",
    "monitoring_alert_policy.alert_strategy.notification_rate_limit.period",
    "monitoring_alert_policy.conditions.condition_absent.aggregations.alignment_period",
    "monitoring_alert_policy.conditions.condition_absent.duration",
    "monitoring_alert_policy.conditions.condition_threshold.aggregations.alignment_period",
    "monitoring_alert_policy.conditions.condition_threshold.duration",
    "pubsub_subscription.message_retention_duration",
    "pubsub_subscription.retry_policy.maximum_backoff",
    "pubsub_subscription.retry_policy.minimum_backoff",
)


def said(states: dict[str, State], place: str) -> Iterator[Any]:
    """Every value of an argument (`type.block.argument`) in these states."""
    kind, *fields = place.split(".")
    for state in states.values():
        for address, values in state.items():
            if address.startswith(f"google_{kind}."):
                yield from _reached(values, fields)


def _reached(values: Any, fields: list[str]) -> Iterator[Any]:
    if not fields:
        yield values
        return
    for one in values if isinstance(values, list) else [values]:
        yield from _reached(one[fields[0]], fields[1:])


@pytest.mark.parametrize("place", ALLOWED)
def test_each_word_is_googles_and_used(tested: OwnTests, place: str) -> None:
    """Each word is one that Google knows, and each word in these lists is used."""
    assert set(said(tested.states(), place)) == ALLOWED[place]


@pytest.mark.parametrize("place", DURATIONS)
def test_durations_are_whole_seconds_or_minutes(tested: OwnTests, place: str) -> None:
    """Durations are whole seconds, as `600s`; for alerts, whole minutes or none."""
    found = set(said(tested.states(), place))

    assert found
    assert not [value for value in found if not SECONDS.fullmatch(value)]
    if place.startswith("monitoring"):
        assert not [value for value in found if int(value[:-1]) % 60]


FORMS = {
    "cloudfunctions2_function.name": r"[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?",
    "firestore_database.name": r"[a-z][a-z0-9-]{2,61}[a-z0-9]",
    "logging_project_exclusion.name": r"[A-Za-z0-9_.-]{1,99}",
    "logging_metric.name": r"[A-Za-z0-9_.,+!*'()%/-]{1,99}",
    "organization_iam_custom_role.role_id": r"[a-zA-Z0-9_.]{3,64}",
    "project_iam_custom_role.role_id": r"[a-zA-Z0-9_.]{3,64}",
    "pubsub_subscription.name": r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}",
    "pubsub_topic.name": r"[A-Za-z][A-Za-z0-9._~+%-]{2,254}",
    "service_account.account_id": r"[a-z][a-z0-9-]{4,28}[a-z0-9]",
    "storage_bucket.name": r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
}


@pytest.mark.parametrize("place", FORMS)
def test_every_name_is_accepted_by_google(tested: OwnTests, place: str) -> None:
    """Names are ones that Google accepts."""
    found = set(said(tested.states(), place))

    assert found
    assert not [name for name in found if not re.fullmatch(FORMS[place], name)]


LONGEST_PROJECT, LONGEST_NAME = "p" * 30, "n" * 20
DERIVED = [
    pytest.param("{name}-scheduler", 30, id="account_id"),
    pytest.param("{project}-{name}-evidence", 63, id="bucket"),
    pytest.param("{name}-journal", 63, id="database"),
    pytest.param("{name}_findings", 64, id="role_id"),
]


@pytest.mark.parametrize(("form", "limit"), DERIVED)
def test_the_longest_names_are_accepted_too(form: str, limit: int) -> None:
    """The longest project and name that are accepted make names that are accepted too."""
    assert len(form.format(project=LONGEST_PROJECT, name=LONGEST_NAME)) <= limit
