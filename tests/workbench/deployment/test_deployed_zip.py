"""What is in the zip that is deployed, by the modules that main.py can reach. The zip itself is tried in tests/e2e."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.policy.policy_set import source_paths
from scc_responder.workbench.deployment import deployed_zip
from scc_responder.workbench.deployment.deployed_zip import deployed_files, reachable_modules, write_zip
from scc_responder.workbench.policy_files.shipped_pack import PACK

REACHED = {
    "main.py": "import scc_responder.eager\nif TYPE_CHECKING:\n    import scc_responder.types",
    "scc_responder/__init__.py": "",
    "scc_responder/eager.py": "def run():\n    from scc_responder.lazy import later",
    "scc_responder/lazy/__init__.py": "",
    "scc_responder/lazy/later.py": 'load = lambda: import_module("scc_responder.named")',
    "scc_responder/named.py": "from scc_responder import listing",
    "scc_responder/listing/__init__.py": "modules = iter_modules(__path__)",
    "scc_responder/listing/plugin.py": "",
    "scc_responder/listing/below/__init__.py": "",
    "scc_responder/listing/below/plugin.py": "",
}
UNREACHED = {"scc_responder/types.py": "", "scc_responder/desk.py": "import scc_responder.eager", "other.py": ""}


def test_every_kind_of_import_is_followed(tmp_path: Path) -> None:
    """At the top, in a function, by a name in a text, and by the listing of a folder; not those for type checkers."""
    for name, text in {**REACHED, **UNREACHED}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = reachable_modules(tmp_path / "main.py", tmp_path)
    assert {path.relative_to(tmp_path).as_posix() for path in found} == set(REACHED) - {"main.py"}


def test_the_policies_are_packed_as_they_are_written() -> None:
    """Each policy and the guardrails, with their very bytes; no cases, and no form that was compiled before."""
    files = deployed_files(PACK)
    written = {f"policies/{path.name}": path.read_bytes() for path in source_paths(PACK)}
    assert {name: content for name, content in files.items() if name.startswith("policies/")} == {
        **written,
        "policies/.compiled.json": files["policies/.compiled.json"],
    }


def test_no_zip_is_made_of_a_catalogue_that_makes_no_sense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function reads its catalogue of threats unchecked, so that a bad row is refused here."""
    package = Path(deployed_zip.__file__).parents[2]
    shutil.copytree(package, tmp_path / "scc_responder", ignore=shutil.ignore_patterns("__pycache__"))
    threats = tmp_path / "scc_responder" / "intake" / "threats.json"
    first, *others = json.loads(threats.read_bytes())
    threats.write_text(json.dumps([{**first, "severity": "Low"}, *others]))
    monkeypatch.setattr(deployed_zip, "_ROOT", tmp_path)
    with pytest.raises(SettingsError, match="severity is none of"):
        deployed_files(PACK)


def test_the_order_of_files_changes_no_byte(tmp_path: Path) -> None:
    """The digest is that of the content, in whatever order it came."""
    files = {"b.py": b"2", "a.py": b"1"}
    backwards = dict(reversed(files.items()))
    assert write_zip(files, tmp_path / "one.zip") == write_zip(backwards, tmp_path / "deep" / "two.zip")
    with ZipFile(tmp_path / "one.zip") as archive:
        assert archive.namelist() == ["a.py", "b.py"]
