"""`case verify` says whether a copy of evidence is what was signed, to a person and to a program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scc_responder.cli.main import main
from tests.kits.bundles import CASE, SignedBundle


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SignedBundle:
    for name in ("EVIDENCE", "STORE"):
        monkeypatch.delenv(f"SCC_RESPONDER_{name}", raising=False)
    monkeypatch.chdir(tmp_path)
    made = SignedBundle(tmp_path)
    made.capture(b'{"kind": "Pod"}')
    return made


def verified(capsys: pytest.CaptureFixture[str], *options: str, code: int = 0) -> str:
    """What the command prints."""
    assert main(["case", "verify", CASE, *options]) == code
    shown = capsys.readouterr()
    assert shown.err == ""
    return shown.out


def test_a_good_bundle_is_verified(bundle: SignedBundle, capsys: pytest.CaptureFixture[str]) -> None:
    """With its key, by which the manifest says it was signed; 0."""
    text = verified(capsys, "--key", "key.pub.pem")
    assert text.startswith(f"case {CASE}: verified; 1 object as signed and stored\n")
    assert f"signed   {bundle.key.key_id}" in text


def test_each_fault_is_a_line(bundle: SignedBundle, capsys: pytest.CaptureFixture[str]) -> None:
    """With the file's name; 1."""
    (bundle.folder / "pod-1.json").write_bytes(b"{}")
    text = verified(capsys, "--key", "key.pub.pem", "--bundle", "evidence", code=1)
    assert f"case {CASE}: not verified" in text
    assert "  object_added  pod-1.json  no manifest that counts names it" in text


def test_a_program_gets_a_document(bundle: SignedBundle, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole, with what each manifest says."""
    (bundle.folder / "pod-1.json").write_bytes(b"{}")
    told = json.loads(verified(capsys, "--key", "key.pub.pem", "--format", "json", code=1))
    assert (told["verified"], told["case"], told["objects"]) == (False, CASE, 1)
    assert [finding["fault"] for finding in told["findings"]] == ["object_added"]
    assert told["manifests"][0]["says"]["case"] == CASE


def test_hostile_names_do_nothing_to_a_terminal(bundle: SignedBundle, capsys: pytest.CaptureFixture[str]) -> None:
    """A file's name is an attacker's to choose."""
    (bundle.folder / "a\x1b[2Jb\nc").write_bytes(b"{}")
    text = verified(capsys, "--key", "key.pub.pem", code=1)
    assert "\x1b" not in text
    assert len([line for line in text.splitlines() if "object_added" in line]) == 1


def test_without_a_key_nothing_is_said_to_be_verified(
    bundle: SignedBundle, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless this machine has the key beside its store."""
    assert "signature_not_checked" in verified(capsys, code=1)
    bundle.public_file.rename("journal.db.signing-key.pub.pem")
    monkeypatch.setenv("SCC_RESPONDER_STORE", "sqlite:///journal.db")
    monkeypatch.setenv("SCC_RESPONDER_EVIDENCE", f"file://{bundle.folder.parents[1]}")
    assert "verified; 1 object" in verified(capsys)


def test_each_key_of_a_rotation_verifies_its_own(bundle: SignedBundle, capsys: pytest.CaptureFixture[str]) -> None:
    """The public keys are given together; one that signed nothing takes no verdict away."""
    other = SignedBundle(bundle.folder.parents[2] / "other")
    both = ("--key", str(other.public_file), "--key", "key.pub.pem")
    assert "verified; 1 object" in verified(capsys, *both)
    assert "signature_wrong" in verified(capsys, *both[:2], code=1)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--bundle", "nowhere"], "no folder of the case"),
        (["--bundle", "gs://example-evidence/cases"], "gcloud storage cp"),
        (["--key", "nowhere.pem"], "nowhere.pem"),
        (["--key", "key.pem"], "no public key"),
    ],
    ids=["no-folder", "in-the-bucket", "no-key", "private-key"],
)
def test_what_cannot_be_checked_is_told(
    options: list[str], told: str, bundle: SignedBundle, capsys: pytest.CaptureFixture[str]
) -> None:
    """2, with the remedy, and no word of a result."""
    assert main(["case", "verify", CASE, *options]) == 2
    shown = capsys.readouterr()
    assert told in shown.err
    assert shown.out == ""
