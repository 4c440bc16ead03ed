"""The collector's image gets into a registry whole, once, by one command, and only into one of Google's."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from collector_push import PLACE, main
from tests.kits.image_registry import INDEX, MANIFEST, ImageRegistry, sources_digest

NAME = "example-project/scc-responder-collector/collector"


@pytest.fixture
def registry() -> Iterator[ImageRegistry]:
    """A registry on this machine, with nothing in it."""
    with ImageRegistry() as made:
        yield made


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """An image of two platforms, as `make collector` lays one out."""
    folder = tmp_path / "image"
    (folder / "blobs" / "sha256").mkdir(parents=True)
    index = _held(folder, INDEX, {"manifests": [_platform(folder, name) for name in ("amd64", "arm64")]})
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]}))
    return folder


def _platform(folder: Path, name: str) -> dict[str, object]:
    parts = [_blob(folder, f"{kind} of {name}".encode(), "application/x") for kind in ("config", "layer")]
    return _held(folder, MANIFEST, {"config": parts[0], "layers": parts[1:]})


def _held(folder: Path, kind: str, document: dict[str, object]) -> dict[str, object]:
    return _blob(folder, json.dumps({"schemaVersion": 2, "mediaType": kind, **document}).encode(), kind)


def _blob(folder: Path, content: bytes, kind: str) -> dict[str, object]:
    digest = sources_digest(content)
    (folder / "blobs" / digest.replace(":", "/")).write_bytes(content)
    return {"mediaType": kind, "digest": digest, "size": len(content)}


@pytest.fixture(autouse=True)
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `gcloud` that prints a token, and notes what it was asked."""
    program = tmp_path / "bin" / "gcloud"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/asked\necho token-1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program


def test_an_image_is_pushed_whole(registry: ImageRegistry, layout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """All that the index names comes before it, and what is printed is what the module takes."""
    place = f"{registry.host}/{NAME}"
    assert main([str(layout), place]) == 0
    (index,) = json.loads((layout / "index.json").read_text())["manifests"]
    assert capsys.readouterr().out == f"{place}@{index['digest']}\n"
    assert len(registry.blobs) == 4
    kind, content = registry.manifests[NAME, index["digest"]]
    assert (kind, sources_digest(content)) == (INDEX, index["digest"])
    assert registry.manifests[NAME, index["digest"][7:19]] == (kind, content)
    assert all(has_token for _, _, has_token in registry.asked)


def test_what_is_there_is_not_sent_again(registry: ImageRegistry, layout: Path) -> None:
    """A second push sends no blob."""
    assert [main([str(layout), f"{registry.host}/{NAME}"]) for _ in range(2)] == [0, 0]
    assert sum(method == "POST" for method, _, _ in registry.asked) == 4


PLACES = [
    pytest.param("registry.example.com/tools/collector", id="another-host"),
    pytest.param("europe-docker.pkg.dev.example.com/tools/collector", id="a-longer-host"),
    pytest.param("europe-docker.pkg.dev", id="no-image"),
    pytest.param("europe-docker.pkg.dev/tools/x/collector:1", id="a-tag"),
    pytest.param("europe-docker.pkg.dev/tools/x/collector@sha256:0", id="a-digest"),
    pytest.param("https://europe-docker.pkg.dev/tools/x/collector", id="an-address"),
    pytest.param("user@europe-docker.pkg.dev/tools/x/collector", id="a-user"),
]


@pytest.mark.parametrize("place", PLACES)
def test_a_token_goes_to_google_alone(layout: Path, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Any other place is refused before it is asked."""
    assert PLACE.fullmatch(place) is None
    assert main([str(layout), place]) == 1
    assert "REGION-docker.pkg.dev/PROJECT/REPOSITORY/IMAGE" in capsys.readouterr().err


@pytest.mark.parametrize("answers", [[403], [404, 401], [404, 202, 400], [404, 0, 0, 404, 0, 0, 500]])
def test_a_refusal_is_told(
    registry: ImageRegistry, layout: Path, answers: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the status and what was asked; nothing is printed that could be taken for an image."""
    registry.answers = answers
    assert main([str(layout), f"{registry.host}/{NAME}"]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert f"{registry.host} answered" in shown.err
    assert "token-1" not in shown.err


def test_nothing_is_sent_to_another_host(
    registry: ImageRegistry, layout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A registry may name where to upload to: a token goes to no other host."""
    registry.uploads = f"http://{registry.host}"
    assert main([str(layout), f"{registry.host}/{NAME}"]) == 0
    registry.blobs.clear()
    registry.uploads = "http://localhost:1"
    assert main([str(layout), f"{registry.host}/{NAME}"]) == 1
    assert "another host to upload to: localhost:1" in capsys.readouterr().err


def test_without_gcloud_the_remedy_is_said(layout: Path, gcloud: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is asked for a password."""
    gcloud.write_text("#!/bin/sh\nexit 1\n")
    assert main([str(layout), f"europe-docker.pkg.dev/{NAME}"]) == 1
    assert "gcloud auth login" in capsys.readouterr().err
    assert main([]) == 2


def test_one_command_makes_and_pushes(registry: ImageRegistry) -> None:
    """`make collector PUSH=...` prints the image by its digest last."""
    root = Path(__file__).parents[2]
    place = f"{registry.host}/{NAME}"
    lines = subprocess.run(
        ["make", "--dry-run", "collector", f"PUSH={place}"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    assert [line.split()[1:] for line in lines if "functions/collector" in line] == [
        ["functions/collector_image.py", "dist/collector"],
        ["functions/collector_push.py", "dist/collector", place],
    ]
    without = subprocess.run(
        ["make", "--dry-run", "collector"], cwd=root, check=True, capture_output=True, text=True
    ).stdout
    assert "collector_push" not in without
