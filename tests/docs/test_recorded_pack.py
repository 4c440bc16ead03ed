"""The record of the policies that are shipped: what becomes of `policies/` counts once it is recorded."""

from __future__ import annotations

import shutil
from pathlib import Path

from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.docs.pack import differing, record


def test_only_what_differs_is_recorded(tmp_path: Path) -> None:
    """A file that is new, one that is changed, and one that is gone: each is named, and recorded."""
    now, recorded = (shutil.copytree(PACK, tmp_path / name) for name in ("now", "recorded"))
    assert list(differing(now, recorded)) == []
    (now / "mark-added-library.yaml").unlink()
    (now / "guardrails.yaml").write_text("max_mode: dry_run\n")
    (now / "new.yaml").write_text("name: new\n")
    (now / "README.md").touch()
    names = list(differing(now, recorded))
    assert names == ["guardrails.yaml", "mark-added-library.yaml", "new.yaml"]
    record(names, now, recorded)
    assert list(differing(now, recorded)) == []
    assert not (recorded / "mark-added-library.yaml").exists()
