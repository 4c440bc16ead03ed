"""The real client against a local server that reads the filters it is sent."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.cloud.logging_v2.types import LogEntry
from google.protobuf.any_pb2 import Any as AnyMessage

from scc_responder.adapters.google.cloud_logging import CloudLogging, entry_json
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.logging_server import ACTIVITY, LoggingServer, audit_entry, line_entry

PROJECT = "example-project"
TEXTS = 'resource.type="k8s_container"'


@pytest.fixture
def server() -> Iterator[LoggingServer]:
    """Cloud Logging on this machine."""
    with LoggingServer() as made:
        yield made


@pytest.fixture
def logs(server: LoggingServer) -> Iterator[CloudLogging]:
    """The adapter, connected to it."""
    made = CloudLogging(endpoint=server.endpoint)
    yield made
    made.close()


def test_the_newest_entries_come_first(server: LoggingServer, logs: CloudLogging) -> None:
    """In one request, with what there is to say of more."""
    server.add(*(line_entry(f"line {minute}", f"2026-03-02T09:{minute:02}:00Z") for minute in range(5)))
    entries, has_more = logs.entries(PROJECT, TEXTS, 2)
    assert ([entry["textPayload"] for entry in entries], has_more) == (["line 4", "line 3"], True)
    assert len(server.requests) == 1
    assert logs.entries(PROJECT, 'textPayload="line 1"', 2)[1] is False


def test_another_project_has_other_entries(server: LoggingServer, logs: CloudLogging) -> None:
    """The request names the one project."""
    server.add(line_entry("a", "2026-03-02T09:00:00Z"))
    assert logs.entries("other-project", TEXTS, 10) == ([], False)


def test_an_audit_log_is_read_as_what_it_is(server: LoggingServer, logs: CloudLogging) -> None:
    """Its payload is a protobuf message, of a type that is known here."""
    server.add(
        audit_entry("core/v1/namespaces/shop/pods/web-1/exec", "exec", "alice@example.com", "2026-03-02T09:00:00Z")
    )
    (entry,), _ = logs.entries(PROJECT, 'log_id("cloudaudit.googleapis.com/activity")', 10)
    assert entry["protoPayload"]["authenticationInfo"] == {"principalEmail": "alice@example.com"}


def test_a_payload_of_an_unknown_type_is_kept() -> None:
    """As base64, beside what is known of the entry."""
    entry = LogEntry(log_name=ACTIVITY)
    LogEntry.pb(entry).proto_payload.CopyFrom(AnyMessage(type_url="type.googleapis.com/example.Odd", value=b"\x01"))
    assert entry_json(entry) == {
        "logName": ACTIVITY,
        "protoPayload": {"@type": "type.googleapis.com/example.Odd", "value": "AQ=="},
    }


FAILURES = [
    (grpc.StatusCode.RESOURCE_EXHAUSTED, ("logging_resource_exhausted", 429, "")),
    (grpc.StatusCode.PERMISSION_DENIED, ("logging_permission_denied", 403, "logging.logEntries.list")),
    (grpc.StatusCode.UNAVAILABLE, ("logging_unavailable", 503, "")),
]


@pytest.mark.parametrize(("code", "told"), FAILURES)
def test_a_failure_has_a_name(
    server: LoggingServer, logs: CloudLogging, code: grpc.StatusCode, told: tuple[str, int, str]
) -> None:
    """Nothing is tried again here."""
    server.fail_next(code)
    with pytest.raises(ApiError) as caught:
        logs.entries(PROJECT, TEXTS, 10)
    assert (caught.value.reason, caught.value.status, caught.value.permission) == told
    assert len(server.requests) == 1


def test_an_unusable_filter_is_refused(server: LoggingServer, logs: CloudLogging) -> None:
    """As the API would."""
    with pytest.raises(ApiError, match="Unparseable"):
        logs.entries(PROJECT, 'resource.type="x" AND', 10)
    assert server.refused


def test_only_this_machine_is_spoken_to_without_tls() -> None:
    """Any other stand-in is refused."""
    with pytest.raises(SettingsError, match="LOGGING_ENDPOINT"):
        CloudLogging(endpoint="192.0.2.1:443")
