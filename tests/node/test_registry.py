"""The node's registry knows what it was given, by digest."""

from __future__ import annotations

import hashlib
import tarfile
from pathlib import Path

from tests.node import images
from tests.node.registry import content


def test_blobs_and_the_index_are_found_by_digest(tmp_path: Path) -> None:
    """Everything of a layout is found by what it is; anything else is not there."""
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    digest = images.write_image(tmp_path / "image.tar", images.WORKLOAD, program, ["pause"])
    with tarfile.open(tmp_path / "image.tar") as archive:
        archive.extractall(tmp_path, filter="data")
    manifest = content(tmp_path, digest.removeprefix("sha256:"))
    assert manifest is not None
    assert f"sha256:{hashlib.sha256(manifest).hexdigest()}" == digest
    index = (tmp_path / "index.json").read_bytes()
    assert content(tmp_path, hashlib.sha256(index).hexdigest()) == index
    assert content(tmp_path, "0" * 64) is None
    assert content(tmp_path / "nothing", "0" * 64) is None
