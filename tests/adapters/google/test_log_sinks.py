"""Doctor reads what a project's sink leaves out, and changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest

from scc_responder.adapters.google.log_sinks import GoogleLogSinks
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.logging_server import SinksServer

PROJECT, DEFAULT = "example-project", "projects/example-project/sinks/_Default"


@pytest.fixture
def server() -> Iterator[SinksServer]:
    """Cloud Logging's configuration on this machine."""
    with SinksServer() as made:
        yield made


@pytest.fixture
def sinks(server: SinksServer) -> GoogleLogSinks:
    """The adapter that asks it."""
    return GoogleLogSinks(endpoint=server.endpoint, timeout_seconds=2.0)


def test_exclusions_that_are_on_are_read(server: SinksServer, sinks: GoogleLogSinks) -> None:
    """By their names, in one request; one that is off leaves nothing out."""
    assert sinks.exclusions(PROJECT) == {}
    server.exclude(PROJECT, "collector", 'resource.type="k8s_container"')
    server.exclude(PROJECT, "nothing", "severity<ERROR", disabled=True)
    assert sinks.exclusions(PROJECT) == {"collector": 'resource.type="k8s_container"'}
    assert server.requests == [DEFAULT] * 2
    assert sinks.exclusions("other-project") == {}


def test_a_sink_that_is_off_is_told_apart(server: SinksServer, sinks: GoogleLogSinks) -> None:
    """It keeps nothing, whatever it leaves out."""
    server.exclude(PROJECT, "collector", "severity<ERROR")
    server.sinks[DEFAULT].disabled = True
    assert sinks.exclusions(PROJECT) is None


FAILURES = [
    (grpc.StatusCode.PERMISSION_DENIED, ("logging_permission_denied", "logging.sinks.get")),
    (grpc.StatusCode.UNAVAILABLE, ("logging_unavailable", "")),
    (grpc.StatusCode.NOT_FOUND, ("logging_not_found", "")),
]


@pytest.mark.parametrize(("code", "told"), FAILURES)
def test_a_sink_unread_has_a_reason(
    server: SinksServer, sinks: GoogleLogSinks, code: grpc.StatusCode, told: tuple[str, str]
) -> None:
    """Nothing is tried again, and a missing permission is named."""
    server.fail_next(code)
    with pytest.raises(ApiError) as raised:
        sinks.exclusions(PROJECT)
    assert (raised.value.reason, raised.value.permission) == told
    assert len(server.requests) == 1


def test_another_server_is_on_this_machine() -> None:
    """No setting sends doctor's token elsewhere."""
    with pytest.raises(SettingsError, match="loopback"):
        GoogleLogSinks(endpoint="192.0.2.1:443")
