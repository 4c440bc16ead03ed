"""The zip that Terraform would upload, and the same with modes raised or approvers named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.e2e.served import unzip

_MODE = re.compile(r"^mode: dry_run$", re.MULTILINE)
_WARM_UP = re.compile(r"^warm_up: .*$", re.MULTILINE)
AT_ONCE = "contain-cloud-run-malware"
"""The policy that may roll back without being asked."""


def raised(folder: Path, guardrails: str = "") -> Path:
    """The function's folder, unpacked from the zip of a copy of the shipped policies, all of which enforce.

    No first shot waits.

    `guardrails`: others than the shipped ones.
    """
    return _unzipped(
        folder, lambda _name, text: _WARM_UP.sub("warm_up: 0s", _MODE.sub("mode: enforce", text)), guardrails
    )


def answerable(folder: Path, approver: str) -> Path:
    """The same of the pack as it is shipped, but that this person may approve, and `AT_ONCE` is raised as it says."""
    guardrails = (PACK / "guardrails.yaml").read_text()
    for shipped, wanted in (("  approvers: []\n", f"  approvers: [{approver}]\n"), ("      - roll_back_service\n", "")):
        assert guardrails.count(f"\n{shipped}") == 1
        guardrails = guardrails.replace(f"\n{shipped}", f"\n{wanted}")

    def changed(name: str, text: str) -> str:
        return text.replace("\nmode: approve\n", "\nmode: enforce\n") if name == AT_ONCE else text

    return _unzipped(folder, changed, guardrails)


def entries(zip_: Path) -> dict[str, bytes]:
    """Every file of a zip."""
    with ZipFile(zip_) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _unzipped(folder: Path, changed: Callable[[str, str], str], guardrails: str) -> Path:
    """`changed` gives the text of a policy by its name and its text as it is shipped."""
    copy = shutil.copytree(PACK, folder / "policies")
    for path in copy.glob("*.yaml"):
        path.write_text(changed(path.stem, path.read_text()))
    if guardrails:
        (copy / "guardrails.yaml").write_text(guardrails)
    return unzip(folder, policies=copy)
