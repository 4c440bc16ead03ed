"""The manifests of a bundle: whether the responder signed them, and whether they know each other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import msgspec

from scc_responder.domain.value import read_json, resolved
from scc_responder.execute.evidence.dsse import Signature, pre_authentication_encoding
from scc_responder.execute.evidence.sealing import LateSignature
from scc_responder.workbench.bundle.bundle_report import BundleFault, BundleFinding, CheckedManifest, ListedManifest
from scc_responder.workbench.bundle.stored_envelope import Envelope, decoded_base64, opened

_OUTWEIGHED = frozenset({BundleFault.NOT_SIGNED})
"""What a signed manifest makes good that names an earlier one with its SHA-256."""


class VerifyingKey(Protocol):
    """A public key."""

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Whether its private key made the signature (DER) of what has this SHA-256."""


class BundleManifests:
    """The manifests and signatures among a case's files, given by name.

    `findings` are what is wrong with them, `known` the files that are accounted for.
    """

    def __init__(self, case: str, files: Mapping[str, bytes | None], key: VerifyingKey | None) -> None:
        self._case = case
        self._key = key
        self._late = list(_late_signatures(files))
        self.known = set(files) - {name for name in files if name.startswith("signature-")}
        self.findings: list[BundleFinding] = []
        names = sorted(name for name in files if name.startswith("manifest-"))
        if not names:
            self._find(BundleFault.NO_MANIFEST, "", "there is no manifest-*.json")
        read = filter(None, (self._checked(name, files[name] or b"") for name in names))
        self.manifests = self._vouched(sorted(read, key=lambda each: each.says.captured_at))
        self._relate()

    def counting(self) -> Sequence[CheckedManifest]:
        """Those that say which objects there should be: the signed ones. Where none is, those without a signature."""
        unsigned = {BundleFault.NOT_SIGNED, BundleFault.SIGNATURE_NOT_CHECKED}
        good = [each for each in self.manifests if each.signed]
        return good or [each for each in self.manifests if unsigned.issuperset(each.faults)]

    def _find(self, fault: BundleFault, file: str, why: str) -> None:
        self.findings.append(BundleFinding(fault=fault, file=file, why=why))

    def _checked(self, file: str, content: bytes) -> CheckedManifest | None:
        try:
            says = msgspec.convert(manifest_content(content), resolved(ListedManifest))
            envelope = opened(content) if says.schema != 1 else None
            agrees = envelope is None or _agrees(envelope, says)
        except (ValueError, RecursionError, msgspec.ValidationError) as error:
            self._find(BundleFault.MANIFEST_UNREADABLE, file, str(error)[:200])
            return None
        sha256 = hashlib.sha256(content).hexdigest()
        if file != f"manifest-{sha256[:16]}.json":
            self._find(BundleFault.MANIFEST_CHANGED, file, f"its SHA-256 begins with {sha256[:16]}")
        if says.case != self._case:
            self._find(BundleFault.MANIFEST_OF_ANOTHER_CASE, file, f"it is of case {says.case[:40]!a}")
        if not agrees:
            self._find(BundleFault.SUBJECTS_DIFFER, file, "the Statement's subjects are not the manifest's objects")
        signed = self._signed(file, sha256, envelope)
        faults = tuple(each.fault for each in self.findings if each.file == file)
        return CheckedManifest(file=file, sha256=sha256, signed="" if faults else signed, faults=faults, says=says)

    def _signed(self, file: str, sha256: str, envelope: Envelope | None) -> str:
        """By which key it is signed, in its own words; empty, and a finding, where it is not."""
        if envelope is None:
            self._find(BundleFault.NOT_SIGNED, file, "an earlier version stored it: it signed nothing")
            return ""
        digest = hashlib.sha256(signed_bytes(envelope)).digest()
        late = [(name, each.signature) for name, each in self._late if each.sha256 == sha256]
        good = [signature for name, signature in late if self._is_good_beside(name, signature, digest)]
        good += [each for each in envelope.signatures if self._verifies(each, digest)]
        if good:
            return good[0].keyid or "the key that was given"
        if self._key is None and (late or envelope.signatures):
            self._find(BundleFault.SIGNATURE_NOT_CHECKED, file, "give the public key: --key PUBLIC.pem")
        elif envelope.signatures:
            self._find(BundleFault.SIGNATURE_WRONG, file, _another(envelope.signatures[0]))
        else:
            self._find(BundleFault.NOT_SIGNED, file, envelope.unsigned or "it has no signature")
        return ""

    def _is_good_beside(self, file: str, signature: Signature, digest: bytes) -> bool:
        """Whether the signature in a file of its own is good; else that is a finding of that file."""
        self.known.add(file)
        good = self._verifies(signature, digest)
        if not good and self._key is not None:
            self._find(BundleFault.SIGNATURE_WRONG, file, _another(signature))
        return good

    def _verifies(self, signature: Signature, digest: bytes) -> bool:
        with suppress(ValueError):
            return self._key is not None and self._key.verifies(decoded_base64(signature.sig), digest)
        return False

    def _vouched(self, manifests: Sequence[CheckedManifest]) -> tuple[CheckedManifest, ...]:
        """The manifests, the earliest first; one without a signature counts as signed where a signed one names it."""
        vouched: dict[tuple[str, str], str] = {}
        after: list[CheckedManifest] = []
        for manifest in reversed(manifests):
            by = vouched.get((f"cases/{self._case}/{manifest.file}", manifest.sha256), "")
            known = manifest
            if by and _OUTWEIGHED.issuperset(manifest.faults):
                known = msgspec.structs.replace(manifest, signed=manifest.signed or f"named by {by}", faults=())
                self.findings = [each for each in self.findings if each.file != manifest.file]
            if known.signed:
                vouched |= {(each.name, each.sha256): known.file for each in known.says.earlier}
            after.append(known)
        return tuple(reversed(after))

    def _relate(self) -> None:
        """Each manifest names those before it: one that is taken away is missed, one that is added is known."""
        good = [manifest for manifest in self.manifests if manifest.signed]
        there = {f"cases/{self._case}/{manifest.file}": manifest.sha256 for manifest in self.manifests}
        for manifest in good:
            for each in manifest.says.earlier:
                file = each.name.rpartition("/")[2]
                if each.name not in there:
                    self._find(BundleFault.MANIFEST_MISSING, file, f"{manifest.file} names it")
                elif there[each.name] != each.sha256:
                    self._find(BundleFault.MANIFEST_CHANGED, file, f"{manifest.file} names it with another SHA-256")
        for manifest in good[1:]:
            if not any(each.name in there for each in manifest.says.earlier):
                why = "it names no manifest before it: it was added, or the responder ended before it had noted one"
                self._find(BundleFault.MANIFESTS_UNRELATED, manifest.file, why)


def _late_signatures(files: Mapping[str, bytes | None]) -> Iterator[tuple[str, LateSignature]]:
    """The signatures that stand in files of their own, named by their content."""
    for file, content in sorted(files.items()):
        if content and file == f"signature-{hashlib.sha256(content).hexdigest()[:16]}.json":
            with suppress(msgspec.DecodeError):
                yield file, read_json(content, LateSignature)


def _another(signature: Signature) -> str:
    return f"it is not of this key over this content; it says that it is of {signature.keyid[:200]!a}"


def _agrees(envelope: Envelope, says: ListedManifest) -> bool:
    """Whether the Statement is about what the manifest lists."""
    subjects = envelope.statement().get("subject")
    listed = [{"name": item.name, "digest": {"sha256": item.sha256}} for item in says.objects]
    return isinstance(subjects, list) and set(map(_spelled, subjects)) == set(map(_spelled, listed))


def _spelled(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def signed_bytes(envelope: Envelope) -> bytes:
    """What a signature is made over. Raises ValueError."""
    return pre_authentication_encoding(envelope.payload_type, envelope.payload_bytes())


def manifest_content(content: bytes) -> Mapping[str, Any]:
    """What a stored manifest says, also one of an earlier version, which is no envelope. Raises ValueError.

    It is not checked whether anybody signed it.
    """
    plain = json.loads(content)
    if isinstance(plain, dict) and plain.get("schema") == 1:
        return plain
    predicate: Mapping[str, Any] = opened(content).statement()["predicate"]
    return predicate
