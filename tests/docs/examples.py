"""The examples of every document and docstring: where they stand, what they are, and how each is tried."""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from msgspec import convert

from scc_responder.domain.errors import SettingsError
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_set import TEST_SUFFIX, Policy
from scc_responder.policy.routes import Routes
from scc_responder.workbench.clusters_file import ClustersFile
from scc_responder.workbench.policies.cases.case_file import CaseFile
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.policy_scope import PolicyScope
from scc_responder.workbench.policy_files.shipped_pack import ShippedFile
from scc_responder.workbench.policy_files.strict_yaml import read_document
from tests.kits.as_shipped import policies_as_shipped
from tests.kits.responder import write_policies

ROOT = Path(__file__).parents[2]
GENERATED = {"dist", "build", "node_modules", "template"}
DEFAULTS = {
    "name": "example",
    "description": "An example.",
    "owner": "secops@example.com",
    "mode": "dry_run",
    "when": {"threat": "reverse_shell"},
}
"""What an example of a policy's steps leaves out."""

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_STARTS = re.compile(r"^( *)(?:then|policy|when|protected):(?: .*)?$", re.MULTILINE)
_COMMAND = re.compile(r"^ {4,}(scc-responder .*)$", re.MULTILINE)
ON_PATH = 'export PATH="$PWD/.venv/bin:$PATH"'
"""How the command line that `make install` makes comes on the `PATH`, as documents show it."""

NEEDS_MORE = {
    *("serve", "console", "demo", "breaker", "case", "control", "redrive", "doctor", "snapshot"),
    *("permissions", "notify"),
}
"""Commands that need a deployment, write into the repository, or do not end: their options are looked up instead."""


class Example(NamedTuple):
    """A piece of a document: `where` is its file and number, `kind` the language that it is written in."""

    where: str
    kind: str
    text: str


def documents() -> Iterator[Path]:
    """Every Markdown file of the repository."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted(ROOT.glob(".github/**/*.md"))
    for folder in sorted(path for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."):
        if folder.name not in GENERATED:
            yield from sorted(path for path in folder.rglob("*.md") if not GENERATED & set(path.parts))


def fenced() -> Iterator[Example]:
    """Every fenced block of every document."""
    for path in documents():
        for number, (kind, text) in enumerate(_FENCE.findall(path.read_text()), start=1):
            yield Example(f"{path.relative_to(ROOT)}:{number}", kind, text)


def docstrings() -> Iterator[tuple[str, str]]:
    """Every docstring of the package that may show an example, by where it stands."""
    for path in sorted((ROOT / "functions").rglob("*.py")):
        content = path.read_text()
        if not (_STARTS.search(content) or _COMMAND.search(content)):
            continue
        tree = ast.parse(content)
        for node in [tree, *ast.walk(tree)]:
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                yield f"{path.relative_to(ROOT)}:{getattr(node, 'name', 'module')}", text


def written_in_code() -> Iterator[Example]:
    """The YAML and the commands within docstrings."""
    seen = set()
    for where, text in docstrings():
        for start in _STARTS.finditer(text):
            block = textwrap.dedent(re.split(r"\n\s*\n", text[start.start() :])[0]) + "\n"
            if (where, block) not in seen and re.search(r"\n( *- |\s+\w+:)", block):
                seen.add((where, block))
                yield Example(where, "yaml", block)
        yield from (Example(where, "sh", command) for command in _COMMAND.findall(text))


def commands(text: str) -> list[str]:
    """The command lines of a shell block; a line that ends in a backslash goes on."""
    return [line for line in text.replace("\\\n", " ").splitlines() if line.strip() and not line.startswith("#")]


def load(text: str, folder: Path) -> str:
    """Read an example as what it is, and say what that was. Raises the error that its reader would get."""
    content = yaml.safe_load(text)
    keys = set(content)
    folder.mkdir(exist_ok=True)
    if keys == {"policy", "cases"}:
        return _load_cases(text, content, folder)
    if keys <= set(Policy.__struct_fields__) and "then" in keys:
        load_policies(write_policies(folder, policy_of(text, content)))
        return "policy"
    if keys <= set(Guardrails.__struct_fields__):
        load_policies(write_policies(folder, guardrails=text))
        return "guardrails"
    if keys <= set(Routes.__struct_fields__):
        (write_policies(folder) / "routes.yaml").write_text(text)
        load_policies(folder)
        return "routes"
    for what, kind in (("shipped", ShippedFile), ("scope", PolicyScope)):
        if keys <= set(kind.__struct_fields__):
            convert(content, kind)
            return what
    if all(key.startswith("projects/") for key in keys):
        return _load_clusters(text, folder)
    raise ValueError(f"an example of no kind that is known: {sorted(keys)}")


def policy_of(text: str, content: Mapping[str, Any]) -> str:
    """The example as a whole policy file, with what it leaves out."""
    left_out = {name: value for name, value in DEFAULTS.items() if name not in content}
    head = yaml.safe_dump(left_out, sort_keys=False) if left_out else ""
    first, rest = text.split("\n", 1) if text.startswith("#") else ("", text)
    return f"{first}\n{head}{rest}".lstrip("\n")


def _load_cases(text: str, content: Mapping[str, Any], folder: Path) -> str:
    path = folder / f"{content['policy']}{TEST_SUFFIX}"
    path.write_text(text)
    read_document(path, CaseFile)
    return "cases"


def _load_clusters(text: str, folder: Path) -> str:
    """Only the kubeconfig that an entry names is missing here."""
    path = folder / "clusters.yaml"
    path.write_text(text.replace("context:", f"kubeconfig: {folder}/none\n  context:"))
    try:
        ClustersFile(path)
    except SettingsError as error:
        if "none" not in str(error):
            raise
    return "clusters"


def run(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a documented command as a reader would, in a folder that has the repository's; files are written there."""
    folder.mkdir(exist_ok=True)
    for name in ("tests", "functions"):
        if not (folder / name).exists():
            (folder / name).symlink_to(ROOT / name)
    if not (folder / "policies").exists():
        policies_as_shipped(folder)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment |= {"PYTHONPATH": f"{ROOT / 'functions'}{os.pathsep}{ROOT}"}
    return subprocess.run(
        ["bash", "-euc", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def reads_what_is_not_here(line: str) -> bool:
    """Whether a command names a file or folder of the reader's own, such as `findings.json`."""
    words = [word for word in shlex.split(line, comments=True) if "/" in word or word.endswith((".json", ".yaml"))]
    return any(not word.startswith("/dev/") and not (ROOT / word).exists() for word in words)


def help_of(line: str, folder: Path) -> tuple[list[str], str]:
    """The options in a command line, and the help of that command."""
    words = shlex.split(line, comments=True)
    names = [word for word in words[1:] if re.fullmatch(r"[a-z]+", word)][:2]
    command = names if names[0] in {"breaker", "case", "control", "notify", "policy"} else names[:1]
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    return options, run(shlex.join(["scc-responder", *command, "--help"]), folder).stdout
