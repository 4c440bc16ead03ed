"""Container images made by hand: one static program each, as an OCI layout in a tar file."""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PAUSE = "localhost/pause:1"
WORKLOAD = "localhost/workload:1"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_TYPES = "application/vnd.oci.image."


def write_image(path: Path, name: str, program: Path, arguments: list[str]) -> str:
    """Write an image whose one file `/workload` is run with these arguments: its digest, `sha256:...`."""
    blobs: dict[str, bytes] = {}
    layer = _tar({"tmp/": b"", "workload": program.read_bytes()})
    config = {
        "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
        "os": "linux",
        "config": {"Entrypoint": ["/workload", *arguments], "WorkingDir": "/"},
        "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        "history": [{"created": "1970-01-01T00:00:00Z"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_TYPES}manifest.v1+json",
        "config": _blob(blobs, "config.v1+json", _json(config)),
        "layers": [_blob(blobs, "layer.v1.tar", layer)],
    }
    entry = _blob(blobs, "manifest.v1+json", _json(manifest))
    index = {"schemaVersion": 2, "manifests": [{**entry, "annotations": {"io.containerd.image.name": name}}]}
    files = {"oci-layout": _json({"imageLayoutVersion": "1.0.0"}), "index.json": _json(index)}
    path.write_bytes(_tar({**files, **{f"blobs/sha256/{key}": content for key, content in blobs.items()}}))
    return str(entry["digest"])


def _blob(blobs: dict[str, bytes], kind: str, content: bytes) -> dict[str, Any]:
    digest = _digest(content)
    blobs[digest.removeprefix("sha256:")] = content
    return {"mediaType": f"{_TYPES}{kind}", "digest": digest, "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _tar(files: Mapping[str, bytes]) -> bytes:
    """A tar of these files that is the same on each run; a name that ends in `/` is a folder that everybody may use."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o755
            if name.endswith("/"):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o1777
            archive.addfile(entry, io.BytesIO(content))
    return output.getvalue()
