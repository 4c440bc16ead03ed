"""The collector's image: the same bytes each time, one program, for both architectures."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path
from typing import Any

from collector_image import main, make_image


def blob(folder: Path, descriptor: dict[str, Any]) -> bytes:
    """The bytes that a descriptor names, which are as it says."""
    data = (folder / "blobs" / descriptor["digest"].replace(":", "/")).read_bytes()
    assert f"sha256:{hashlib.sha256(data).hexdigest()}" == descriptor["digest"]
    assert len(data) == descriptor["size"]
    return data


def test_two_images_have_one_digest_and_hold_one_program(go: str, tmp_path: Path) -> None:
    """Whenever and wherever they are made. What each platform gets is one static program and nothing else."""
    digests = [make_image(tmp_path / name, go) for name in ("one", "elsewhere")]

    assert digests[0] == digests[1]
    folder = tmp_path / "one"
    assert json.loads((folder / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    (named,) = json.loads((folder / "index.json").read_text())["manifests"]
    assert named["digest"] == digests[0]
    machines = {}
    for entry in json.loads(blob(folder, named))["manifests"]:
        manifest = json.loads(blob(folder, entry))
        config = json.loads(blob(folder, manifest["config"]))
        (layer,) = manifest["layers"]
        assert config["rootfs"]["diff_ids"] == [layer["digest"]]
        assert config["architecture"] == entry["platform"]["architecture"]
        assert config["config"]["Entrypoint"] == ["/collector"]
        path = folder / "blobs" / layer["digest"].replace(":", "/")
        blob(folder, layer)
        with tarfile.open(path) as archive:
            (program,) = archive.getmembers()
            opened = archive.extractfile(program)
            assert opened is not None
            machines[config["architecture"]] = int.from_bytes(opened.read(20)[18:20], "little")
        assert (program.name, program.mode, program.mtime, program.uid) == ("collector", 0o555, 0, 0)
    assert machines == {"amd64": 62, "arm64": 183}
    assert len(list((folder / "blobs" / "sha256").iterdir())) == 7


def test_without_go_the_remedy_is_said(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    """A machine without Go is told what to install."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main([str(tmp_path / "image")]) == 1
    assert "install Go" in capsys.readouterr().err
