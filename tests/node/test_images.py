"""Images that are made by hand are those that a registry would hold."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

from tests.node.images import WORKLOAD, write_image


def test_each_blob_is_named_by_its_digest(tmp_path: Path) -> None:
    """The index leads to the manifest, and each file of the layout is named by its content."""
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    digest = write_image(tmp_path / "image.tar", WORKLOAD, program, ["threat"])
    with tarfile.open(tmp_path / "image.tar") as archive:
        files = {entry.name: archive.extractfile(entry).read() for entry in archive}  # type: ignore[union-attr]
    for name, content in files.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    assert json.loads(files["index.json"])["manifests"][0]["digest"] == digest


def test_the_same_program_makes_the_same_image(tmp_path: Path) -> None:
    """A digest stays, however often the image is made."""
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF")
    first, second = (write_image(tmp_path / f"{name}.tar", WORKLOAD, program, ["pause"]) for name in ("one", "two"))
    assert first == second
    assert (tmp_path / "one.tar").read_bytes() == (tmp_path / "two.tar").read_bytes()
