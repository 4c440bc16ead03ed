"""`routes.yaml` is refused with file, line and remedy where it would tell nobody, and never repeats an address."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from scc_responder.adapters import notifiers
from scc_responder.domain.errors import PolicyError
from scc_responder.policy.compiled import COMPILED_FILE, load_deployed
from scc_responder.policy.routes import ReceiverKind
from scc_responder.workbench.policies.policy_lint import lint
from scc_responder.workbench.policy_files.policy_file import compile_policies, load_policies
from scc_responder.workbench.policy_files.routes_file import load_routes
from tests.kits.responder import policy, write_policies

GOOD = """\
# yaml-language-server: $schema=./.schema/routes.json
routes:
  secops: {receiver: signed_webhook, address: secops-chat}
  on-call: {receiver: signed_webhook, address: on-call-key, content: minimal, burst: 50}
  owners: {receiver: email, address: mail-server, to_contacts: true}
rules:
  - {severity: HIGH, to: [on-call, secops]}
  - {owner: [shop, "web-*"], namespace: shop, kind: [outcome, expired], to: [secops]}
  - {cluster: "projects/*/locations/*/clusters/prod-*", to: [on-call]}
  - {cluster: projects/example-project, to: [on-call]}
fallback: [secops]
contact_domains: [example.com]
"""
REFUSED = {
    "no fallback": ("fallback: [secops]", "fallback: []", 11, "name a route that hears what no rule is about"),
    "an unknown fallback": ("fallback: [secops]", "fallback: [secop]", 11, "no route is named 'secop'; .*'secops'?"),
    "an unknown route": (
        "to: [on-call, secops]",
        "to: [on-cal]",
        7,
        "no route is named 'on-cal'.*did you mean 'on-call'",
    ),
    "a rule for all": ("severity: HIGH, to:", "to:", 7, "it has no condition"),
    "a rule for nobody": ("to: [on-call, secops]", "to: []", 7, "name at least one route"),
    "no pattern of a cluster": ('"projects/*/locations/*/clusters/prod-*"', "prod-1", 9, "'prod-1' can never match"),
    "no pattern of a namespace": ("namespace: shop", "namespace: Shop!", 8, "'Shop!' can never match"),
    "no name": ("  on-call: {", "  On_Call: {", 4, "is no name of a route; write lower-case letters"),
    "an unknown receiver": ("receiver: signed_webhook", "receiver: chat", 3, "signed_webhook"),
    "contacts of a chat": ("address: secops-chat", "address: a, to_contacts: true", 3, "only the receiver email tells"),
    "contacts of no domain": ("contact_domains: [example.com]\n", "", 5, "list the domains .*contact_domains"),
    "no domain": ("contact_domains: [example.com]", 'contact_domains: ["*.example.com"]', 12, "is no domain; write it"),
    "an address for a domain": ("[example.com]", '["a@example.com"]', 12, "is no domain; write it whole"),
    "domains in vain": (", to_contacts: true", "", 12, "no route tells contacts; write to_contacts: true"),
    "an unknown kind": ("kind: [outcome, expired]", "kind: [outcomes]", 8, "outcome"),
}


def folder_of(tmp_path: Path, routes: str, *policies: str) -> Path:
    folder = write_policies(tmp_path / "policies", *policies)
    (folder / "routes.yaml").write_text(routes)
    return folder


@pytest.mark.parametrize(("found", "instead", "line", "told"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_told_with_its_line(tmp_path: Path, found: str, instead: str, line: int, told: str) -> None:
    """And with what to write."""
    assert found in GOOD
    folder = folder_of(tmp_path, GOOD.replace(found, instead, 1), policy("notify"))
    with pytest.raises(PolicyError, match=told) as raised:
        load_policies(folder)
    assert f"routes.yaml:{line}" in str(raised.value)


@pytest.mark.parametrize("address", ["https://chat.example.com/v1/s3cr3t", "projects/1/secrets/s3cr3t/versions/1"])
def test_an_address_in_clear_is_refused_unsaid(tmp_path: Path, address: str) -> None:
    """What stands there may be a key."""
    folder = folder_of(tmp_path, GOOD.replace("secops-chat", f'"{address}"'), policy("notify"))
    with pytest.raises(PolicyError, match="put the address into Secret Manager") as raised:
        load_policies(folder)
    assert "s3cr3t" not in str(raised.value)


def test_a_policy_names_a_route_that_is_there(tmp_path: Path) -> None:
    """Without routes the name is for the subscribers of the topic, and any is let."""
    steps = policy("notify {to: on-cal}")
    folder = folder_of(tmp_path, GOOD, steps)
    (error,) = lint(folder, date(2026, 11, 30)).errors
    assert (error.file, error.path, error.reason) == ("contain.yaml", "then[0].with.to", "unknown_route")
    assert "did you mean 'on-call'?" in error.text
    (folder / "routes.yaml").unlink()
    assert lint(folder, date(2026, 11, 30)).errors == ()


def test_the_compiled_form_has_the_routes(tmp_path: Path) -> None:
    """They are part of what a deployment was made of; without a file there are none."""
    folder = folder_of(tmp_path, GOOD, policy("notify {to: on-call}"))
    (folder / COMPILED_FILE).write_bytes(compile_policies(folder))
    deployed = load_deployed(folder)
    assert deployed.routes == load_routes(folder) == load_policies(folder).routes
    assert deployed.routes is not None
    assert deployed.routes.routes["on-call"].burst == 50
    (folder / "routes.yaml").write_text(GOOD.replace("50", "51"))
    with pytest.raises(PolicyError, match="other policies than those beside it"):
        load_deployed(folder)
    (folder / "routes.yaml").unlink()
    (folder / COMPILED_FILE).write_bytes(compile_policies(folder))
    assert load_deployed(folder).routes is None


def test_a_file_without_a_route_is_as_none(tmp_path: Path) -> None:
    """Only one that says so: an empty file may have lost something, and a rule for no route is a mistake."""
    folder = folder_of(tmp_path, "routes: {}\nfallback: []\n", policy("notify {to: on-cal}"))
    assert load_policies(folder).routes is None
    for text in ("", "# routes\n", "routes: {}\n", "routes: {}\nfallback: []\nrules: [{severity: HIGH, to: [ops]}]\n"):
        (folder / "routes.yaml").write_text(text)
        with pytest.raises(PolicyError):
            load_policies(folder)


def test_it_stands_at_the_top_alone(tmp_path: Path) -> None:
    """In a subfolder nobody would read it. Without its schema's line the linter says so."""
    folder = folder_of(tmp_path, GOOD.partition("\n")[2], policy("notify"))
    (warning,) = [found for found in lint(folder, date(2026, 11, 30)).warnings if found.file == "routes.yaml"]
    assert (warning.reason, "routes.json" in warning.text) == ("no_schema", True)
    (folder / "team").mkdir()
    (folder / "routes.yaml").rename(folder / "team" / "routes.yaml")
    with pytest.raises(PolicyError, match=r"team/routes\.yaml: not read"):
        load_policies(folder)


def test_each_receiver_can_be_named() -> None:
    """What routes may name is what there is."""
    there = {module.name for module in iter_modules(notifiers.__path__)}
    made = {name for name in there if hasattr(import_module(f"{notifiers.__name__}.{name}"), "receiver")}
    assert set(map(str, ReceiverKind)) == made
