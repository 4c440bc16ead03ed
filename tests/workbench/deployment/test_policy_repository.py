"""A new repository of policies is whole, and is never written over."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import yaml

from scc_responder import __version__
from scc_responder.workbench.deployment.policy_repository import lay_out_repository, repository_files
from scc_responder.workbench.policies.policy_lint import lint
from scc_responder.workbench.policies.policy_schema import FILE_KINDS
from scc_responder.workbench.policy_files.routes_file import load_routes
from tests.docs.examples import ROOT
from tests.findings import FOLDER


def test_a_new_repository_has_nothing_to_be_said_of(tmp_path: Path) -> None:
    """Its policies have neither errors nor warnings, and all schemas that their first lines name are there."""
    made = lay_out_repository(tmp_path / "new")
    assert (set(made.written), made.kept) == (set(repository_files()), ())
    policies = tmp_path / "new" / "policies"
    found = lint(policies, date(2026, 3, 2), FOLDER)
    assert (found.errors, found.warnings) == ((), ())
    for path in policies.glob("*.yaml"):
        (named,) = re.findall(r"\$schema=(\S+)", path.read_text().splitlines()[0])
        assert (policies / named).exists()
    assert {path.stem for path in (policies / ".schema").iterdir()} == set(FILE_KINDS)


def test_the_routes_of_a_new_repository_are_an_example_to_take(tmp_path: Path) -> None:
    """As written they tell nobody by a route; without the marks of comments they are routes without a mistake."""
    lay_out_repository(tmp_path)
    policies, file = tmp_path / "policies", tmp_path / "policies" / "routes.yaml"
    assert load_routes(policies) is None
    text = file.read_text().replace("routes: {}\n", "").replace("fallback: []\n", "")
    file.write_text(re.sub(r"(?m)^# (?=(routes|rules|fallback):|  [a-z-]+: |  - |  # )", "", text))
    routes = load_routes(policies)
    assert routes
    assert (set(routes.routes), len(routes.rules)) == ({"on-call", "security", "shop"}, 4)
    found = lint(policies, date(2026, 3, 2), FOLDER)
    assert (found.errors, found.warnings) == ((), ())


def test_one_version_is_pinned() -> None:
    """It stands in `shipped.yaml`, and what the workflow installs is read from there."""
    files = repository_files()
    assert yaml.safe_load(files["policies/shipped.yaml"])["shipped"]["version"] == __version__
    assert f"scc-responder=={__version__}" in files["README.md"]
    assert not [name for name, text in files.items() if "VERSION" in text and "schema" not in name]
    jobs = yaml.safe_load(files[".github/workflows/policies.yml"])["jobs"]
    installs = [step["run"] for job in jobs.values() for step in job["steps"] if "pip" in step.get("run", "")]
    (version,) = set(re.findall(r"scc-responder==\$\((.*?)\)\"", "\n".join(installs)))
    pattern = re.search(r"'s/(.*?)//p'", version)
    assert pattern
    assert re.findall(f"(?m){pattern[1]}(.*)$", files["policies/shipped.yaml"]) == [__version__]
    assert files["requirements.txt"] == (ROOT / "functions" / "requirements.txt").read_text()


def test_what_others_run_is_pinned_by_commit() -> None:
    """The workflow may read the repository, and uses no action by a tag that somebody can move."""
    workflow = yaml.safe_load(repository_files()[".github/workflows/policies.yml"])
    used = [step["uses"] for job in workflow["jobs"].values() for step in job["steps"] if "uses" in step]
    assert workflow["permissions"] == {"contents": "read"}
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", action)] == []


def test_what_is_there_stays(tmp_path: Path) -> None:
    """Files of the same name stay as they are, whatever they hold, and the rest is written."""
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "guardrails.yaml").write_text("max_mode: dry_run\n")
    (tmp_path / "README.md").write_text("Ours.\n")
    made = lay_out_repository(tmp_path)
    assert made.kept == ("README.md", "policies/guardrails.yaml")
    assert set(made.written) | set(made.kept) == set(repository_files())
    assert (tmp_path / "README.md").read_text() == "Ours.\n"
    (tmp_path / "requirements.txt").unlink()
    assert lay_out_repository(tmp_path).written == ("requirements.txt",)
