"""Run `terraform` on scratch copies of this repository's module and examples, with the real provider or its schema.

`SCC_RESPONDER_TERRAFORM_PROVIDER` says which: `registry`, `schema` (the committed one, through `stub_provider`), or
`auto`, the default: the registry if it answers within some seconds, else the schema. The same tests run with either.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.terraform.program import QUIET

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "terraform"
EXAMPLES = sorted(path.parent for path in (MODULE / "examples").glob("*/main.tf"))
CHOICE = "SCC_RESPONDER_TERRAFORM_PROVIDER"
REGISTRY_SECONDS = 20.0
RULES = "validation"
"""The test file whose runs break one variable's rule each: more than a hundred plans of the module, were it whole."""

State = dict[str, dict[str, Any]]
"""The resources of one run by address, as `google_pubsub_topic.responder["findings"]`, each with its values."""


class Terraform:
    """The program with a way to the provider, working on copies in `folder`."""

    def __init__(self, program: Path, folder: Path, attached: Mapping[str, str]) -> None:
        self.folder = folder
        self._program = program
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        self._environment = {**kept, **QUIET, "GOGC": "800", **attached}

    def copied(self, name: str) -> Path:
        """A fresh copy of the module, with its examples and tests, that commands may be run in."""
        copy = self.folder / name
        shutil.copytree(MODULE, copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
        return copy

    def variables(self, name: str) -> Path:
        """What a variable's rules need and no more, ready: Terraform refuses a value before it looks at resources."""
        folder = self.folder / name
        (folder / "tests").mkdir(parents=True)
        for file in ("variables.tf", "versions.tf", f"tests/{RULES}.tftest.hcl"):
            shutil.copy(MODULE / file, folder / file)
        shutil.copytree(MODULE / "tests" / "mocks", folder / "tests" / "mocks")
        return self.initialized(folder)

    def run(self, folder: Path, *arguments: str, seconds: float = 120.0) -> subprocess.CompletedProcess[str]:
        """One command in a folder, whatever comes of it."""
        return subprocess.run(
            [str(self._program), *arguments],
            cwd=folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def initialized(self, folder: Path) -> Path:
        """The folder, once `terraform init` is through."""
        done = self.run(folder, "init", "-backend=false", "-input=false", "-no-color")
        assert done.returncode == 0, done.stdout + done.stderr
        return folder

    def test(self, folder: Path, *files: str) -> OwnTests:
        """Run `terraform test`, of these files or of all."""
        chosen = [f"-filter=tests/{name}.tftest.hcl" for name in files]
        done = self.run(folder, "test", "-json", "-verbose", *chosen, seconds=280.0)
        return OwnTests(done.stdout, done.returncode, done.stderr)


class OwnTests:
    """What `terraform test -json -verbose` told."""

    def __init__(self, lines: str, code: int, errors: str) -> None:
        self.events: list[dict[str, Any]] = [json.loads(line) for line in lines.splitlines()]
        self.passed = code == 0
        self._told = (lines, code, errors)
        self._errors = errors

    def keep(self, path: Path) -> None:
        """Write all of it to a file, for `kept`."""
        path.write_text(json.dumps(self._told))

    def __add__(self, other: OwnTests) -> OwnTests:
        """What both told."""
        (lines, code, errors), (more, worse, also) = self._told, other._told
        return OwnTests(lines + more, max(code, worse), errors + also)

    @classmethod
    def kept(cls, path: Path) -> OwnTests:
        """What another process wrote to a file."""
        return cls(*json.loads(path.read_text()))

    @property
    def runs(self) -> dict[str, str]:
        """Each run's end (`pass`, `fail`, `error`, `skip`), by `file/run`."""
        ends = (event["test_run"] for event in self.events if event["type"] == "test_run")
        return {_name(end["path"], end["run"]): end["status"] for end in ends if end.get("progress") == "complete"}

    @property
    def told(self) -> str:
        """What went wrong, for a person."""
        faults = [event["diagnostic"] for event in self.events if event["type"] == "diagnostic"]
        lines = [f"{fault['summary']}: {fault.get('detail', '')}" for fault in faults if fault["severity"] == "error"]
        return "\n".join([*lines, self._errors])

    def states(self) -> dict[str, State]:
        """The resources after each run that applied, by `file/run`."""
        applied = (event for event in self.events if event["type"] == "test_state")
        return {_name(event["@testfile"], event["@testrun"]): _resources(event["test_state"]) for event in applied}

    def outputs(self) -> dict[str, dict[str, Any]]:
        """The outputs' values after each run that applied, by `file/run`."""
        applied = (event for event in self.events if event["type"] == "test_state")
        return {
            _name(event["@testfile"], event["@testrun"]): {
                name: output["value"] for name, output in event["test_state"]["outputs"].items()
            }
            for event in applied
        }


def _name(path: str, run: str) -> str:
    return f"{Path(path).name.removesuffix('.tftest.hcl')}/{run}"


def _resources(told: Mapping[str, Any]) -> State:
    root = told.get("values", told)["root_module"]
    modules = [root, *root.get("child_modules", ())]
    return {one["address"]: one["values"] for module in modules for one in module.get("resources", ())}


def reaches_registry(program: Path, folder: Path) -> str:
    """Why the registry cannot be used, or an empty text where it can."""
    probe = folder / "registry"
    probe.mkdir()
    shutil.copy(MODULE / "versions.tf", probe)
    try:
        done = Terraform(program, folder, {}).run(
            probe, "init", "-backend=false", "-input=false", "-no-color", seconds=REGISTRY_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"it did not answer within {REGISTRY_SECONDS:.0f} seconds"
    told = " ".join(done.stderr.split())
    return "" if done.returncode == 0 else (told.partition("hashicorp/google: ")[2] or told)[:60]
