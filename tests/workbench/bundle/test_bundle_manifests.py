"""Which manifests count: signed at once, signed later, or named by one that is signed."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

import pytest

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.execute.evidence.canonical_json import canonical_json
from scc_responder.execute.evidence.dsse import enveloped, in_toto_statement
from scc_responder.execute.evidence.manifest import EvidenceObject
from scc_responder.execute.evidence.sealing import Sealed, note_unsigned, sign_later
from scc_responder.journal.account.manifest_names import ManifestName
from scc_responder.workbench.bundle.bundle_check import check_bundle
from scc_responder.workbench.bundle.bundle_report import BundleReport
from scc_responder.workbench.bundle.stored_envelope import opened
from tests.kits.bundles import CASE, SignedBundle
from tests.kits.journal_worlds import START
from tests.kits.signing import StoredObjects


@pytest.fixture
def bundle(tmp_path: Path) -> SignedBundle:
    return SignedBundle(tmp_path)


def checked(bundle: SignedBundle) -> BundleReport:
    return check_bundle(bundle.folder, CASE, bundle.public)


def faults(bundle: SignedBundle) -> list[tuple[str, str]]:
    return [(str(finding.fault), finding.file) for finding in checked(bundle).findings]


def signed_later(bundle: SignedBundle, name: ManifestName, key: Any = None) -> Path:
    """Sign an unsigned manifest as a sweep does; the file of the signature."""
    content = bundle.file(name).read_bytes()
    store, kept = SqliteStore(bundle.folder.parents[2] / f"{token_hex(4)}.db"), StoredObjects()
    manifest = EvidenceObject(name=name.name, content=content, kind="manifest")
    note_unsigned(store, CASE, opened(content).payload_bytes(), Sealed(manifest=manifest, unsigned="why"), START)
    assert list(sign_later(store, key or bundle.key, kept, lambda: START, START + timedelta(1))) == [name.name]
    store.close()
    ((late, content),) = kept.objects.items()
    return bundle.write(late, content)


def test_a_manifest_that_is_not_signed_says_why(bundle: SignedBundle) -> None:
    """It is never said to be verified; its objects are compared."""
    name = bundle.capture(b"{}", unsigned=True)
    assert faults(bundle) == [("not_signed", bundle.file(name).name)]
    assert [finding.why for finding in checked(bundle).findings] == ["no_signing_key"]


def test_a_signature_that_was_made_later_counts(bundle: SignedBundle) -> None:
    """It stands in a file of its own; two sweeps may have made one each."""
    name = bundle.capture(b"{}", unsigned=True)
    signed_later(bundle, name)
    signed_later(bundle, name, bundle.key)
    report = checked(bundle)
    assert (report.findings, report.manifests[0].signed) == ((), bundle.key.key_id)


def test_a_later_signature_of_another_key_is_named(bundle: SignedBundle) -> None:
    """By its own file; it neither helps nor harms a good one."""
    name = bundle.capture(b"{}", unsigned=True)
    forged = signed_later(bundle, name, SignedBundle(bundle.folder.parents[2], "other").key)
    assert sorted(faults(bundle)) == [("not_signed", bundle.file(name).name), ("signature_wrong", forged.name)]
    signed_later(bundle, name)
    assert faults(bundle) == [("signature_wrong", forged.name)]


@pytest.mark.parametrize("change", ["content", "name", "manifest"])
def test_a_later_signature_that_was_changed_is_named(change: str, bundle: SignedBundle) -> None:
    """It is nobody's then."""
    name = bundle.capture(b"{}", unsigned=True)
    late = signed_later(bundle, name)
    if change == "content":
        late.write_bytes(late.read_bytes() + b" ")
    elif change == "name":
        late = late.rename(late.with_name(f"signature-{'0' * 16}.json"))
    else:
        bundle.file(name).unlink()
    assert ("object_added", late.name) in faults(bundle)


def test_a_signed_manifest_vouches_for_those_before_it(bundle: SignedBundle) -> None:
    """It names each with its hash, so that one that was never signed is proved by it."""
    first = bundle.capture(b'{"a": 1}', unsigned=True)
    second = bundle.capture(b'{"a": 2}', unsigned=True)
    third = bundle.capture(b'{"a": 3}')
    report = checked(bundle)
    assert (report.findings, report.objects) == ((), 3)
    assert [manifest.signed.partition(" by ")[0] for manifest in report.manifests[:2]] == ["named", "named"]

    bundle.file(second).unlink()
    assert ("manifest_missing", bundle.file(second).name) in faults(bundle)
    bundle.file(third).unlink()
    assert faults(bundle)[0] == ("not_signed", bundle.file(first).name)


def test_an_unsigned_manifest_vouches_for_nothing(bundle: SignedBundle) -> None:
    """Anybody could have written it."""
    bundle.capture(b'{"a": 1}', unsigned=True)
    bundle.capture(b'{"a": 2}', unsigned=True)
    assert [fault for fault, _ in faults(bundle)] == ["not_signed", "not_signed"]


OLD = {
    "schema": 1,
    "case": CASE,
    "finding": "f",
    "captured_at": "2026-03-01T12:00:00Z",
    "missing": {},
    "sources": [],
    "objects": [{"name": f"cases/{CASE}/pod-1.json", "sha256": hashlib.sha256(b"{}").hexdigest(), "size": 2}],
}


def old_manifest(bundle: SignedBundle) -> ManifestName:
    """What an earlier version stored."""
    content = canonical_json(OLD)
    sha256 = hashlib.sha256(content).hexdigest()
    bundle.write("pod-1.json", b"{}")
    bundle.write(f"manifest-{sha256[:16]}.json", content)
    return ManifestName(name=f"cases/{CASE}/manifest-{sha256[:16]}.json", sha256=sha256)


def test_a_manifest_of_an_earlier_version_is_checked(bundle: SignedBundle) -> None:
    """It is not signed, until a later one vouches for it; its objects are compared in any case."""
    name = old_manifest(bundle)
    assert faults(bundle) == [("not_signed", bundle.file(name).name)]
    assert checked(bundle).objects == 1
    bundle.names.append(name)
    bundle.capture(b"[]")
    assert (faults(bundle), checked(bundle).objects) == ([], 2)


def statement(**changes: Any) -> bytes:
    """A manifest that is no manifest of ours in one way."""
    said = {**OLD, "schema": 2, "objects": [], **changes}
    return in_toto_statement({}, said)


UNREADABLE = {
    "time-without-zone": statement(captured_at="2026-03-01T12:00:00"),
    "no-time": statement(captured_at="now"),
    "objects-are-no-list": statement(objects={}),
    "an-object-without-name": statement(objects=[{"sha256": "00", "size": 1}]),
    "an-object-of-text": statement(objects=["pod"]),
    "earlier-is-no-list": statement(earlier="x"),
    "nothing": b"",
    "deep": b"[" * 100_000,
    "a-long-number": b'{"schema": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("payload", UNREADABLE.values(), ids=UNREADABLE)
def test_a_manifest_that_makes_no_sense_is_named(payload: bytes, bundle: SignedBundle) -> None:
    """Whatever stands in it, nothing fails; it is not even looked at who signed it."""
    content = enveloped(payload, unsigned="x")
    for stored in (content, payload):
        name = f"manifest-{hashlib.sha256(stored).hexdigest()[:16]}.json"
        bundle.write(name, stored)
        assert ("manifest_unreadable", name) in faults(bundle)


def test_subjects_and_objects_are_the_same(bundle: SignedBundle) -> None:
    """What another tool verifies is what this one does."""
    listed = {**OLD, "schema": 2}
    content = enveloped(in_toto_statement({"cases/x/other.json": "00"}, listed), unsigned="x")
    bundle.write(f"manifest-{hashlib.sha256(content).hexdigest()[:16]}.json", content)
    assert "subjects_differ" in {fault for fault, _ in faults(bundle)}


NAMES = [
    "../../outside.json",
    "/etc/hostname",
    "cases/0b0b0b0b0b0b/pod-1.json",
    f"cases/{CASE}/../x",
    f"cases/{CASE}/",
    "",
]


@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_name_that_leads_elsewhere_is_not_read(name: str, bundle: SignedBundle) -> None:
    """Also where there is a file of that name, with that content."""
    (bundle.folder.parent / "x").write_bytes(b"{}")
    item = {"name": name, "sha256": hashlib.sha256(b"{}").hexdigest(), "size": 2}
    content = enveloped(in_toto_statement({name: item["sha256"]}, {**OLD, "schema": 2, "objects": [item]}))
    bundle.write(f"manifest-{hashlib.sha256(content).hexdigest()[:16]}.json", content)
    assert "object_missing" in {fault for fault, _ in faults(bundle)}
    assert json.loads(content)
