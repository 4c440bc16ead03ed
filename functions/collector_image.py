"""Make the collector's image: `python functions/collector_image.py [dist/collector]`.

An OCI image layout of one index, for amd64 and arm64. An image holds the one static program and nothing else. The same
sources and the same Go make the same bytes, so the digest that is printed changes only with them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent / "collector"
ARCHITECTURES = ("amd64", "arm64")
PROGRAM = "collector"
EPOCH = "1970-01-01T00:00:00Z"
INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
# Not compressed: compressed bytes differ between versions of zlib.
LAYER = "application/vnd.oci.image.layer.v1.tar"
REMEDY = "install Go 1.24 or newer (https://go.dev/dl/)"


def make_image(folder: Path, go: str) -> str:
    """Write the layout into a folder, in the place of what was there. Returns the digest of its index.

    Raises OSError, and CalledProcessError where the program does not compile.
    """
    shutil.rmtree(folder, ignore_errors=True)
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    manifests = [_manifest(blobs, go, architecture) for architecture in ARCHITECTURES]
    index = _json_blob(blobs, INDEX, {"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests})
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    (folder / "index.json").write_bytes(_json({"schemaVersion": 2, "mediaType": INDEX, "manifests": [index]}))
    return str(index["digest"])


def build_program(target: Path, go: str, architecture: str) -> None:
    """Compile the program for one architecture of Linux. Raises CalledProcessError."""
    flags = ("-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags=-s -w -buildid=")
    environment = os.environ | {
        "CGO_ENABLED": "0",
        "GOOS": "linux",
        "GOARCH": architecture,
        "GOFLAGS": "",
        "GOWORK": "off",
    }
    # Both would be found in the bytes.
    environment |= {"GOAMD64": "v1", "GOARM64": "v8.0", "GOEXPERIMENT": "", "GOFIPS140": "off"}
    subprocess.run([go, "build", *flags, "-o", str(target), "."], cwd=SOURCES, env=environment, check=True)


def _manifest(blobs: Path, go: str, architecture: str) -> dict[str, object]:
    layer = _layer(go, architecture)
    platform = {"architecture": architecture, "os": "linux"}
    config = {
        **platform,
        "created": EPOCH,
        "config": {"Entrypoint": [f"/{PROGRAM}"], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        "history": [{"created": EPOCH, "created_by": "scc-responder functions/collector_image.py"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _json_blob(blobs, CONFIG, config),
        "layers": [_blob(blobs, LAYER, layer)],
    }
    return {**_json_blob(blobs, MANIFEST, manifest), "platform": platform}


def _layer(go: str, architecture: str) -> bytes:
    with tempfile.TemporaryDirectory() as scratch:
        program = Path(scratch) / PROGRAM
        build_program(program, go, architecture)
        content = program.read_bytes()
    entry = tarfile.TarInfo(PROGRAM)
    entry.size, entry.mode, entry.mtime = len(content), 0o555, 0
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(entry, io.BytesIO(content))
    return layer.getvalue()


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json_blob(blobs: Path, media_type: str, value: object) -> dict[str, object]:
    return _blob(blobs, media_type, _json(value))


def _blob(blobs: Path, media_type: str, data: bytes) -> dict[str, object]:
    digest = _digest(data)
    (blobs / digest.removeprefix("sha256:")).write_bytes(data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def main(arguments: list[str]) -> int:
    """Make the image and print its digest. Returns the exit code."""
    folder = Path(arguments[0] if arguments else "dist/collector")
    go = shutil.which("go")
    if go is None:
        print(f"the collector cannot be compiled: there is no Go here; {REMEDY}", file=sys.stderr)
        return 1
    try:
        digest = make_image(folder, go)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"the collector's image cannot be made: {error}; {REMEDY}", file=sys.stderr)
        return 1
    print(f"{folder}@{digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
