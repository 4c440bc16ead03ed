"""A copy of evidence is verified, or every difference from what was signed is named."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.bundle.bundle_check import case_folder, check_bundle
from scc_responder.workbench.bundle.bundle_report import BundleReport
from tests.kits.bundles import CASE, SignedBundle


@pytest.fixture
def bundle(tmp_path: Path) -> SignedBundle:
    made = SignedBundle(tmp_path)
    made.capture(b'{"kind": "Pod"}', b'{"kind": "Node"}', parts=[b"a" * 400, b"b" * 400, b"c" * 7])
    made.capture(b'{"kind": "Pod"}', b'{"items": []}')
    return made


def checked(bundle: SignedBundle) -> BundleReport:
    return check_bundle(bundle.folder, CASE, bundle.public)


def faults(bundle: SignedBundle) -> list[str]:
    """What is wrong, in words."""
    return [str(finding.fault) for finding in checked(bundle).findings]


def test_what_was_signed_is_verified(bundle: SignedBundle) -> None:
    """Each object once, whatever number of manifests names it."""
    report = checked(bundle)
    assert (report.findings, report.is_verified, report.objects) == ((), True, 6)
    assert [manifest.signed for manifest in report.manifests] == [bundle.key.key_id] * 2


def flipped(path: Path, at: int = 0) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def some(bundle: SignedBundle, pattern: str) -> Path:
    return min(bundle.folder.glob(pattern))


def swap_objects(bundle: SignedBundle) -> None:
    one, other = sorted(bundle.folder.glob("artefact-*"))[:2]
    one_content, other_content = one.read_bytes(), other.read_bytes()
    one.write_bytes(other_content)
    other.write_bytes(one_content)


def another_case(bundle: SignedBundle) -> None:
    """A good manifest of another case, as a copy of that case's has it."""
    first = bundle.file(bundle.names[0])
    content = first.read_bytes()
    first.unlink()
    shutil.rmtree(bundle.folder)
    bundle.folder.mkdir()
    (bundle.folder / first.name).write_bytes(content)


def signed_elsewhere(bundle: SignedBundle) -> None:
    """An attacker makes all anew, with a key of his own."""
    shutil.rmtree(bundle.folder)
    forged = SignedBundle(bundle.folder.parents[2], "other")
    forged.capture(b'{"kind": "Pod", "forged": true}')


def added_with_manifest(bundle: SignedBundle, *, signed: bool) -> None:
    """An object is added, with a manifest that names it and all before."""
    other = SignedBundle(bundle.folder.parents[2], "other")
    other.names = list(bundle.names)
    other.capture(b'{"planted": true}', unsigned=not signed)


def in_signature(bundle: SignedBundle) -> int:
    """A place within the signature of the last manifest."""
    return bundle.file(bundle.names[1]).read_bytes().index(b'"sig":"') + 20


TAMPERING: dict[str, tuple[Callable[[SignedBundle], object], list[str]]] = {
    "a-byte-of-an-object": (lambda bundle: flipped(some(bundle, "pod-*")), ["object_changed"]),
    "a-byte-more": (
        lambda bundle: some(bundle, "pod-*").write_bytes(some(bundle, "pod-*").read_bytes() + b" "),
        ["object_length_differs"],
    ),
    "an-object-taken-away": (lambda bundle: some(bundle, "pod-*").unlink(), ["object_missing"]),
    "an-object-added": (lambda bundle: bundle.write("pod-0000000000000000.json", b"{}"), ["object_added"]),
    "any-file-added": (lambda bundle: bundle.write("README", b"x"), ["object_added"]),
    "an-object-that-is-a-link": (
        lambda bundle: linked(some(bundle, "pod-*")),
        ["object_missing", "object_added"],
    ),
    "a-part-changed": (lambda bundle: flipped(some(bundle, "artefact-*")), ["object_changed", "part_missing"]),
    "a-part-taken-away": (lambda bundle: some(bundle, "artefact-*").unlink(), ["object_missing", "part_missing"]),
    "two-objects-swapped": (swap_objects, ["object_changed", "object_changed", "part_missing"]),
    "a-byte-of-a-manifest": (
        lambda bundle: flipped(bundle.file(bundle.names[1]), in_signature(bundle)),
        ["manifest_changed", "signature_wrong", "object_added"],
    ),
    "the-last-manifest-taken-away": (lambda bundle: bundle.file(bundle.names[1]).unlink(), ["object_added"]),
    "an-earlier-manifest-taken-away": (
        lambda bundle: bundle.file(bundle.names[0]).unlink(),
        ["manifest_missing", *["object_added"] * 4],
    ),
    "all-manifests-taken-away": (
        lambda bundle: [bundle.file(name).unlink() for name in bundle.names],
        ["no_manifest", *["object_added"] * 6],
    ),
    "a-manifest-renamed": (
        lambda bundle: bundle.file(bundle.names[1]).rename(bundle.folder / f"manifest-{'0' * 16}.json"),
        ["manifest_changed", "object_added"],
    ),
    "all-made-anew-with-another-key": (signed_elsewhere, ["signature_wrong", "object_added"]),
    "added-with-a-manifest-of-another-key": (
        lambda bundle: added_with_manifest(bundle, signed=True),
        ["signature_wrong", "object_added"],
    ),
    "added-with-an-unsigned-manifest": (
        lambda bundle: added_with_manifest(bundle, signed=False),
        ["not_signed", "object_added"],
    ),
    "two-manifests-that-do-not-know-each-other": (
        lambda bundle: bundle.capture(b"{}", earlier=[]),
        ["manifests_unrelated"],
    ),
    "a-manifest-that-is-none": (
        lambda bundle: bundle.file(bundle.names[1]).write_bytes(b'{"payload": []}'),
        ["manifest_unreadable", "object_added"],
    ),
}


def linked(path: Path) -> None:
    """The same content behind a link, which could lead elsewhere tomorrow."""
    away = path.with_name("away")
    path.rename(away)
    path.symlink_to(away)


@pytest.mark.parametrize(("tamper", "expected"), TAMPERING.values(), ids=TAMPERING)
def test_tampering_is_named(
    tamper: Callable[[SignedBundle], object], expected: list[str], bundle: SignedBundle
) -> None:
    """By what was done, and with which file."""
    tamper(bundle)
    assert sorted(faults(bundle)) == sorted(expected)
    assert not checked(bundle).is_verified


def test_a_manifest_of_another_case_is_named(bundle: SignedBundle) -> None:
    """Though it is signed well: each signature is good for one case."""
    other = bundle.folder.with_name("0b0b0b0b0b0b")
    shutil.copytree(bundle.folder, other)
    report = check_bundle(other, "0b0b0b0b0b0b", bundle.public)
    assert {str(finding.fault) for finding in report.findings} >= {"manifest_of_another_case", "object_added"}
    assert [manifest.signed for manifest in report.manifests] == ["", ""]


@pytest.mark.parametrize("seed", range(60))
def test_no_byte_can_be_changed_unseen(seed: int, bundle: SignedBundle) -> None:
    """Of any file, at any place, by any bit; nor can one be cut off or put at the end."""
    chance = random.Random(seed)
    path = chance.choice(sorted(bundle.folder.iterdir()))
    content = bytearray(path.read_bytes())
    at = chance.randrange(len(content))
    changed = [
        lambda: content.__setitem__(at, content[at] ^ (1 << chance.randrange(8))),
        lambda: content.__delitem__(slice(at, None)),
        lambda: content.extend(b" "),
    ]
    chance.choice(changed)()
    path.write_bytes(bytes(content))
    assert path.name in {finding.file for finding in checked(bundle).findings}


def test_parts_of_one_content_are_one_object(tmp_path: Path) -> None:
    """A file of zeros is stored once, and is whole all the same."""
    made = SignedBundle(tmp_path)
    made.capture(parts=[b"a" * 10, b"a" * 10])
    assert (faults(made), checked(made).objects) == ([], 1)


def test_parts_that_make_no_whole_are_named(tmp_path: Path) -> None:
    """Each part may be as listed, and the artefact still not what was read."""
    made = SignedBundle(tmp_path)
    made.capture(parts=[b"a" * 10, b"b" * 10], whole=b"c" * 20)
    assert faults(made) == ["parts_differ"]


def test_a_part_that_no_manifest_lists_is_missed(tmp_path: Path) -> None:
    """What was signed says how many there are."""
    made = SignedBundle(tmp_path)
    made.capture(parts=[b"a" * 10, b"b" * 10], more_parts=1)
    assert faults(made) == ["part_missing"]


def test_without_a_key_nothing_is_verified(bundle: SignedBundle) -> None:
    """Hashes are compared all the same, and no object is said to be added."""
    report = check_bundle(bundle.folder, CASE, None)
    assert {str(finding.fault) for finding in report.findings} == {"signature_not_checked"}
    assert (report.objects, report.is_verified) == (6, False)
    flipped(some(bundle, "pod-*"))
    assert "object_changed" in {str(each.fault) for each in check_bundle(bundle.folder, CASE, None).findings}


def test_the_folder_of_a_case_is_found(bundle: SignedBundle) -> None:
    """In a copy of the whole bucket, of its evidence, or of the case alone."""
    root = bundle.folder.parents[2]
    for place in (root, root / "evidence", root / "evidence" / "cases", bundle.folder):
        assert case_folder(place, CASE) == bundle.folder
    renamed = bundle.folder.rename(root / "copy")
    assert case_folder(renamed, CASE) == renamed


@pytest.mark.parametrize("case", ["", "0a", "../../etc", "0A0A0A0A0A0A", "0b0b0b0b0b0b"], ids=repr)
def test_a_case_that_is_not_there_is_told(case: str, bundle: SignedBundle) -> None:
    """A name that leads elsewhere is none."""
    with pytest.raises(SettingsError, match=r"case"):
        case_folder(bundle.folder.parents[2], case)


def test_a_link_to_a_folder_is_a_file_too_many(bundle: SignedBundle) -> None:
    """What is behind it could be anything."""
    (bundle.folder / "more").symlink_to("/")
    assert faults(bundle) == ["object_added"]
