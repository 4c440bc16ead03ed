"""The digests of a revision come from Cloud Run's first API, within bounds, and what is no answer says why."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from scc_responder.adapters.google.cloud_run.image_digests import ImageDigests
from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.cloud_run.digests import DigestsServer
from tests.kits.google.cloud_run.samples import CHECKOUT, IMAGE

A, B = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
REVISION = "checkout-00001-abc"


@pytest.fixture
def server() -> Iterator[DigestsServer]:
    """A server that knows one revision of two containers."""
    with DigestsServer() as made:
        made.add(REVISION, f"{IMAGE}@{A}", app=f"{IMAGE}@{A}", proxy=B)
        yield made


def asked(server: DigestsServer, revision: str = REVISION, *, token: str = "token-1") -> dict[str, str]:
    """What it says of a revision of `checkout`."""
    name = RunName.parse(CHECKOUT)
    assert name is not None
    return dict(ImageDigests(endpoint=server.endpoint, token=lambda: token, timeout_seconds=2.0)(name, revision))


def test_the_digests_come_by_container(server: DigestsServer) -> None:
    """That of the first container by an empty name, too; names of images are left out."""
    assert asked(server) == {"": A, "app": A, "proxy": B}
    assert server.asked == [REVISION]
    server.add("checkout-00002-abc", "no-digest-yet")
    assert asked(server, "checkout-00002-abc") == {}


@pytest.mark.parametrize(
    ("befall", "reason", "status", "permission"),
    [
        (lambda server: server.revisions.clear(), "cloud_run_not_found", 404, ""),
        (lambda server: server.answers.append(403), "cloud_run_permission_denied", 403, "run.revisions.get"),
        (lambda server: server.answers.append(503), "cloud_run_status_503", 503, ""),
        (lambda server: server.answers.append(302), "cloud_run_status_302", 302, ""),
        (lambda server: server.answers.append(b"<html>"), "cloud_run_unusable_answer", 200, ""),
        (lambda server: server.answers.append(b'{"status": 3}'), "cloud_run_unusable_answer", 200, ""),
        (lambda server: server.answers.append(b" " * (ImageDigests.most_bytes + 1)), "cloud_run_too_large", 200, ""),
        (lambda server: setattr(server, "token", "other"), "cloud_run_unauthenticated", 401, ""),
    ],
)
def test_what_is_no_answer_says_why(
    server: DigestsServer, befall: Callable[[DigestsServer], None], reason: str, status: int, permission: str
) -> None:
    """Nothing is made up, and no redirect is followed with the token."""
    befall(server)
    with pytest.raises(ApiError) as caught:
        asked(server)
    assert (caught.value.reason, caught.value.status, caught.value.permission) == (reason, status, permission)
    assert len(server.asked) == 1


def test_a_server_that_is_not_there_says_so(server: DigestsServer) -> None:
    """Nobody listens on port 1."""
    server.endpoint = "127.0.0.1:1"
    with pytest.raises(ApiError, match="no answer") as caught:
        asked(server)
    assert caught.value.reason == "cloud_run_unreachable"


def test_only_this_machine_may_stand_in() -> None:
    """A token goes to Google, or nowhere."""
    with pytest.raises(SettingsError, match="SCC_RESPONDER_RUN_V1_ENDPOINT"):
        ImageDigests(endpoint="203.0.113.7:80")


def test_without_anybody_to_ask_no_digest_is_known() -> None:
    """The client of the second API hands the question on, and refuses names that no revision has."""
    name = RunName.parse(CHECKOUT)
    assert name is not None
    admin = CloudRunAdmin(endpoint="127.0.0.1:1")
    assert admin.image_digests(name, REVISION) == {}
    with pytest.raises(ApiError):
        admin.image_digests(name, "../secrets")
