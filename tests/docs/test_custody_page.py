"""docs/custody.md: what signs evidence, and how anybody checks it; its commands are run as they stand."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from scc_responder.workbench.bundle.bundle_report import BundleFault
from tests.docs.command_lines import mistakes
from tests.kits.bundles import CASE, SignedBundle

PAGE = (Path(__file__).parents[2] / "docs" / "custody.md").read_text()
COPIES, VERIFIES, SIGNATURE, OBJECTS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
OPENSSL = shutil.which("openssl")


@pytest.fixture
def copy(tmp_path: Path) -> SignedBundle:
    """A case's folder and the public key beside it, as the page has them copied."""
    made = SignedBundle(tmp_path / "made")
    made.capture(b'{"kind": "Pod"}', b'{"kind": "Node"}')
    shutil.copy(made.public_file, tmp_path / "public.pem")
    made.folder = made.folder.rename(tmp_path / CASE)
    return made


def shell(folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """The commands of the page, in the folder of the case."""
    return subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, check=False, timeout=30)


def test_every_fault_is_on_the_page() -> None:
    """With the meaning that stands beside the word in the code."""
    source = (Path(__file__).parents[2] / "functions/scc_responder/workbench/bundle/bundle_report.py").read_text()
    meant = re.findall(r'^    [A-Z_]+ = "(\w+)"\n    """(.*?)"""', source, re.MULTILINE)
    assert [word for word, _ in meant] == [str(fault) for fault in BundleFault]
    assert re.findall(r"^\| `(\w+)` \| (.*?) \|$", PAGE, re.MULTILINE) == meant


def test_what_is_copied_is_copied_by_commands_that_exist() -> None:
    """The programs of Google know these commands and options."""
    lines = COPIES.splitlines()
    assert [list(mistakes(line)) for line in lines] == [[] for _ in lines]


def test_the_command_verifies_the_copy(
    copy: SignedBundle, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the page shows it."""
    monkeypatch.chdir(copy.folder.parent)
    assert main(VERIFIES.split()[1:]) == 0
    assert "verified" in capsys.readouterr().out


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_openssl_verifies_the_copy(copy: SignedBundle) -> None:
    """Without anything of this project, line by line."""
    done = shell(copy.folder, SIGNATURE)
    assert (done.returncode, done.stdout, done.stderr) == (0, "Verified OK\n", "")
    assert shell(copy.folder, OBJECTS).stdout == ""


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_openssl_finds_what_was_changed(copy: SignedBundle) -> None:
    """A changed manifest is not verified, and a changed or added object is named."""
    pod = min(copy.folder.glob("pod-*"))
    pod.write_bytes(pod.read_bytes() + b" ")
    (copy.folder / "more.json").write_bytes(b"{}")
    shell(copy.folder, SIGNATURE)
    assert sorted(shell(copy.folder, OBJECTS).stdout.split()) == sorted([pod.name, "more.json"])
    (manifest,) = copy.folder.glob("manifest-*")
    text = manifest.read_text()
    at = text.index('"payload":"') + 40
    manifest.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    assert "Verified OK" not in shell(copy.folder, SIGNATURE).stdout
