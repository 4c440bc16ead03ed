"""Whether policies load, and what they need of the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.resource_names import ConsoleTrust
from scc_responder.settings import Settings
from scc_responder.workbench.doctor.policy_checks import consistent, load
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests.docs.command_lines import fix_mistakes
from tests.kits.responder import RAILS, SHIPPED, policy, write_policies


def settings_of(folder: Path, **other: Any) -> Settings:
    """Settings of a deployment that has no place for evidence and no outcome topic."""
    return Settings(**{"policies": folder, "clusters": (), "sources": (), "store": "firestore://p/journal", **other})


@pytest.mark.parametrize(
    ("services", "reasons"),
    [((), []), (("projects/p/locations/l/services/s",), ["no_run_writer", "approval_audience_not_set"])],
    ids=["nothing listed", "a service"],
)
def test_the_shipped_pack_asks_once_services_are_listed(services: tuple[str, ...], reasons: list[str]) -> None:
    """Its plans for Cloud Run wait for nobody where no service may be changed."""
    told = {"evidence": "gs://b/e", "outcome_topic": "projects/p/topics/t", "services": services}
    assert [check.reason for check in consistent(settings_of(SHIPPED, **told), load_policies(SHIPPED))] == reasons


@pytest.mark.parametrize(
    ("store", "audience", "reasons"),
    [
        ("firestore://p/journal", "", ["approval_audience_not_set"]),
        ("firestore://p/journal", "https://a.example.com", []),
        ("sqlite:///x.db", "", []),
    ],
)
def test_nobody_can_approve(tmp_path: Path, store: str, audience: str, reasons: list[str]) -> None:
    """A policy that waits for approval needs somebody who can give it."""
    folder = write_policies(tmp_path / "policies", policy("label_pod", mode="approve"))
    settings = settings_of(folder, store=store, approval_audience=audience)
    assert [check.reason for check in consistent(settings, load_policies(folder))] == reasons


CONSOLE = ConsoleTrust(identity="c@p.iam.gserviceaccount.com", audience="/projects/1/global/backendServices/2")


@pytest.mark.parametrize(
    ("approvers", "audience", "reasons"),
    [
        ("ann@example.com", "https://a.example.com", []),
        ("ann@example.com", "", ["approval_audience_not_set"]),
        ("", "https://a.example.com", ["approver_not_listed"]),
        (CONSOLE.identity, "https://a.example.com", ["approver_not_listed", "no_assertion"]),
        (f"ann@example.com, {CONSOLE.identity}", "https://a.example.com", ["no_assertion"]),
    ],
)
def test_a_console_in_which_nobody_can_answer(
    tmp_path: Path, approvers: str, audience: str, reasons: list[str]
) -> None:
    """A console needs the audience of tokens, and a person who is listed; its own identity is none."""
    rails = f"{RAILS}approval: {{approvers: [{approvers}]}}\n"
    folder = write_policies(tmp_path / "policies", policy("label_pod", mode="dry_run"), guardrails=rails)
    settings = settings_of(folder, approval_audience=audience, console=CONSOLE)
    assert [check.reason for check in consistent(settings, load_policies(folder))] == reasons
    assert [check.reason for check in consistent(settings_of(folder), load_policies(folder))] == []


@pytest.mark.parametrize(
    ("action", "mode", "other", "reasons"),
    [
        ("capture_evidence", "enforce", {}, ["evidence_not_set"]),
        ("capture_evidence", "dry_run", {}, ["evidence_not_set"]),
        ("capture_evidence", "disabled", {}, []),
        ("capture_evidence", "enforce", {"evidence": "gs://example-evidence/cases"}, []),
        ("notify", "enforce", {}, ["outcome_topic_not_set"]),
        ("notify", "enforce", {"outcome_topic": "projects/p/topics/t"}, []),
        ("notify", "enforce", {"notifiers": ("webhook",)}, []),
        ("label_pod", "enforce", {}, []),
    ],
)
def test_settings_have_what_policies_need(
    tmp_path: Path, action: str, mode: str, other: dict[str, Any], reasons: list[str]
) -> None:
    """Enabled policies need a place for what they capture and tell, and one variable names it."""
    folder = write_policies(tmp_path / "policies", policy(action, mode=mode))
    checks = list(consistent(settings_of(folder, **other), load_policies(folder)))
    assert [check.reason for check in checks] == reasons
    assert all(check.fix.startswith(f"set {check.probed}=") for check in checks)


@pytest.mark.parametrize(
    ("action", "mode", "other", "reasons"),
    [
        ("roll_back_service", "approve", {"services": ("projects/p/locations/l/services/s",)}, ["no_run_writer"]),
        ("roll_back_service", "disabled", {"services": ("projects/p/locations/l/services/s",)}, []),
        ("roll_back_service", "approve", {}, []),
        ("label_pod", "enforce", {"services": ("projects/p/locations/l/services/s",)}, []),
        ("roll_back_service", "approve", {"services": ("projects/*/locations/*/jobs/*",), "run_writer": "w@p"}, []),
    ],
)
def test_somebody_changes_what_is_listed(
    tmp_path: Path, action: str, mode: str, other: dict[str, Any], reasons: list[str]
) -> None:
    """Listed services, and a policy that changes some, need an identity for it."""
    folder = write_policies(tmp_path / "policies", policy(action, mode=mode))
    settings = settings_of(folder, approval_audience="https://a.example.com", **other)
    checks = list(consistent(settings, load_policies(folder)))
    assert [check.reason for check in checks] == reasons
    assert [mistake for check in checks for mistake in fix_mistakes(check.fix)] == []


def test_enabled_policies_are_counted(tmp_path: Path) -> None:
    """Policies that load are told with how many are enabled, and with the digest that cases name."""
    texts = [policy("label_pod", name=f"p-{mode}".replace("_", "-"), mode=mode) for mode in ("enforce", "disabled")]
    folder = write_policies(tmp_path / "policies", *texts)
    policies, check = load(settings_of(folder), lambda: load_policies(folder))
    assert policies is not None
    assert (check.reason, check.why) == ("", f"1 enabled, digest {policies.digest[:12]}")


@pytest.mark.parametrize(
    ("text", "reason", "fix"),
    [
        ("name: [\n", "invalid_yaml", "scc-responder policy lint --policies {}"),
        (None, "no_policy_folder", "scc-responder doctor --settings responder.env --policies DIR"),
    ],
)
def test_policies_that_do_not_load_are_one_fault(tmp_path: Path, text: str | None, reason: str, fix: str) -> None:
    """Policies that do not load are told with the command that shows each mistake, or that names the folder."""
    folder = tmp_path / "policies" if text is None else write_policies(tmp_path / "policies", text)
    policies, check = load(settings_of(folder), lambda: load_policies(folder))
    assert (policies, check.reason, check.fix) == (None, reason, fix.format(folder))
    assert list(fix_mistakes(check.fix)) == []
