"""Doctor opens each route's secret and connects, and sends only where it is asked to."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.deployment.route_checks import examine_route, route_probes
from scc_responder.workbench.doctor.check import Check
from scc_responder.workbench.policy_files.guardrails_file import NONE_GIVEN
from tests.kits.notices import mount, routes
from tests.kits.settings import local_settings
from tests.kits.web_service import Says, web_service

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
ROUTE = routes("ops").routes["ops"]


def examined(folder: Path | str, *, send: bool = False) -> Check:
    settings = replace(local_settings(), notice_secrets=str(folder) if folder else "")
    (check,) = examine_route("ops", ROUTE, settings, NOON, send=send)
    return check


@pytest.mark.parametrize("send", [False, True])
def test_a_route_that_works_is_ok(tmp_path: Path, *, send: bool) -> None:
    """A message goes out only on request, and says that it is a test."""
    with web_service() as hook:
        check = examined(mount(tmp_path, {"ops": f"{hook.url}/hook"}), send=send)
    assert (str(check.result), len(hook.posted)) == ("ok", int(send))
    assert all(posted.json["type"] == "notice.trial" for posted in hook.posted)


def test_what_is_wrong_is_told_without_the_address(tmp_path: Path) -> None:
    """A refusal, a secret of another form, a secret that is not mounted, and no folder at all."""
    with web_service(lambda _: Says(403)) as hook:
        refused = examined(mount(tmp_path, {"ops": f"{hook.url}/s3cr3t"}), send=True)
    assert (str(refused.result), refused.reason) == ("fault", "receiver_status_403")
    gone = examined(tmp_path)
    assert (str(gone.result), gone.reason) == ("fault", "receiver_unreachable")
    assert "add a version to the secret ops-hook, if it is wrong; or: let this machine" in gone.fix
    (tmp_path / "ops-hook" / "address").write_text("s3cr3t")
    other = examined(tmp_path)
    (tmp_path / "ops-hook" / "address").unlink()
    missing, nowhere = examined(tmp_path), examined("")
    assert [str(check.result) for check in (other, missing, nowhere)] == ["fault", "unknown", "fault"]
    assert (missing.reason, nowhere.reason) == ("address_unreadable", "notice_secrets_not_set")
    assert "s3cr3t" not in f"{refused}{gone}{other}{missing}{nowhere}"


def test_each_route_is_examined() -> None:
    """Without routes there is nothing to examine."""
    settings = local_settings()
    policies = PolicySet(policies=(), guardrails=NONE_GIVEN, digest="", routes=routes("ops", "shop"))
    assert [name for name, _ in route_probes(policies, settings, NOON, send=False)] == ["ops", "shop"]
    for none in (None, replace(policies, routes=None)):
        assert [*route_probes(none, settings, NOON, send=False)] == []
