"""The repository as it was shipped, whatever somebody who cloned it has made of `policies/` since."""

from __future__ import annotations

import shutil
from pathlib import Path

from scc_responder.workbench.policy_files.shipped_pack import PACK

ROOT = Path(__file__).parents[2]


def policies_as_shipped(folder: Path) -> Path:
    """Lay out `policies/` in a folder: the pages and schemas of the clone, the policies as shipped."""
    made = folder / "policies"
    shutil.copytree(PACK, made)
    shutil.copytree(ROOT / "policies" / ".schema", made / ".schema")
    for page in (ROOT / "policies").glob("*.md"):
        shutil.copy(page, made)
    return made


def clone_as_shipped(folder: Path) -> Path:
    """Lay out the whole clone in a folder, of links, but for the policies, which are as shipped."""
    for path in ROOT.iterdir():
        if path.name != "policies":
            (folder / path.name).symlink_to(path)
    policies_as_shipped(folder)
    return folder
