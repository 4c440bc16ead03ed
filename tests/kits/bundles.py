"""Bundles of evidence in a folder, made as a capture makes them and signed by a key of their own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from scc_responder.adapters.local.signing_key import PublicKey, SigningKey, read_public_key
from scc_responder.domain.context import Context
from scc_responder.domain.finding import Threat
from scc_responder.domain.ports import Signer
from scc_responder.execute.evidence.manifest import (
    EvidenceObject,
    ManifestName,
    Part,
    StoredObject,
    evidence_statement,
    object_name,
)
from scc_responder.execute.evidence.sealing import seal
from tests.kits.journal_worlds import START, finding

CASE = "0a0a0a0a0a0a"
CONTEXT = Context(
    finding=finding(),
    threat=Threat(name="reverse_shell", surface="pod", kind="ioc", confidence="likely"),
    missing={"node": "deadline"},
)


class SignedBundle:
    """The folder of one case. `key` signs what is captured into it."""

    def __init__(self, root: Path, name: str = "key") -> None:
        self.folder = root / "evidence" / "cases" / CASE
        self.folder.mkdir(parents=True, exist_ok=True)
        self.key = SigningKey(root / f"{name}.pem")
        self.key.sign(bytes(32))
        self.public_file = root / f"{name}.pub.pem"
        self.names: list[ManifestName] = []

    @property
    def public(self) -> PublicKey:
        """The key that verifies it."""
        return read_public_key(self.public_file)

    def capture(
        self,
        *contents: bytes,
        parts: Sequence[bytes] = (),
        signer: Signer | None = None,
        earlier: Sequence[ManifestName] | None = None,
        unsigned: bool = False,
        whole: bytes = b"",
        more_parts: int = 0,
        chain: Mapping[str, Any] | None = None,
    ) -> ManifestName:
        """Store these objects, something in parts, and their manifest, which names those before it.

        `whole` is what the parts are said to be parts of, where that is something else; `more_parts` are said to be
        there besides.
        """
        items = [self._stored(content, "pod").stored for content in contents]
        joined = whole or b"".join(parts)
        sha256, count = hashlib.sha256(joined).hexdigest(), len(parts) + more_parts
        for number, content in enumerate(parts):
            place = Part(of=sha256, size=len(joined), number=number, count=count)
            described = self._stored(content, "artefact", "bin").stored
            items.append(StoredObject(**{**_fields(described), "part": place}))
        before = self.names if earlier is None else earlier
        at = START + timedelta(minutes=len(self.names))
        statement = evidence_statement(CONTEXT, (), items, at, before, chain=chain)
        manifest = seal(CASE, statement, None if unsigned else signer or self.key).manifest
        self.write(manifest.name, manifest.content)
        self.names.append(ManifestName(name=manifest.name, sha256=manifest.sha256))
        return self.names[-1]

    def write(self, name: str, content: bytes) -> Path:
        """Store an object by its name, or a file of the folder."""
        path = self.folder / name.rpartition("/")[2]
        path.write_bytes(content)
        return path

    def file(self, name: ManifestName | str) -> Path:
        """The file of an object."""
        return self.folder / str(getattr(name, "name", name)).rpartition("/")[2]

    def _stored(self, content: bytes, prefix: str, suffix: str = "json") -> EvidenceObject:
        item = EvidenceObject(name=object_name(CASE, prefix, content, suffix), content=content, kind=prefix)
        self.write(item.name, content)
        return item


def _fields(item: StoredObject) -> dict[str, object]:
    return {name: getattr(item, name) for name in item.__struct_fields__}
