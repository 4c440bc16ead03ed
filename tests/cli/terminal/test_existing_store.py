"""`--store`: what is meant as an address is one, or the form is told; nothing is made by mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.cli.terminal.existing_store import existing_store
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import FIRESTORE_ADDRESS
from tests.cli.commands import run

MALFORMED = [
    "firestore://example-project",
    "firestore://example-project/",
    "firestore:/example-project/journal",
    "firestore:example-project",
    "firestore://example-project/j/c/d",
    "Firestore://example-project/journal",
    "gs://example-bucket/journal",
    "sqlite://journal.db",
    "sqlite:journal.db",
    "sqlite:///",
    "sqlite:///firestore://example-project",
    "",
]


@pytest.mark.parametrize("store", MALFORMED)
@pytest.mark.parametrize("create", [True, False])
def test_a_malformed_address_shows_the_form(
    store: str, create: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with the form, whether a file might be made or not, and none is."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match="firestore://PROJECT/DATABASE") as error:
        existing_store(store, create=create)
    assert error.value.reason == "invalid_store"
    assert list(tmp_path.iterdir()) == []


@given(st.from_regex(r"((firestore|sqlite):/{0,3}|(gs|https?)://)[a-z:/()-]{0,20}", fullmatch=True))
def test_no_address_is_a_file(store: str) -> None:
    """Nothing that looks like an address is ever taken for a relative path."""
    if not FIRESTORE_ADDRESS.fullmatch(store) and not store.startswith("sqlite:///"):
        with pytest.raises(SettingsError) as error:
            existing_store(store, create=True)
        assert error.value.reason == "invalid_store"


@pytest.mark.parametrize(
    "asked",
    [
        ("control", "show", "--store", "firestore://example-project/journal"),
        ("redrive", "--subscription", "projects/p/subscriptions/s", "--topic", "projects/p/topics/t"),
    ],
    ids=["control", "redrive"],
)
def test_missing_credentials_name_the_login_command(asked: tuple[str, ...], tmp_path: Path) -> None:
    """Whoever has not logged in is told the command that does it."""
    nowhere = {"HOME": str(tmp_path), "CLOUDSDK_CONFIG": str(tmp_path), "NO_GCE_CHECK": "true"}
    done = run(*asked, cwd=tmp_path, **nowhere)
    assert (done.returncode, done.stdout) == (2, "")
    assert "run: gcloud auth application-default login (with --impersonate-service-account=" in done.stderr


def test_told_to_a_person(tmp_path: Path) -> None:
    """`control set` says the form and ends with 2: no traceback."""
    asked = ("control", "set", "disabled", "--reason", "INC-1", "--create", "--store", "firestore://example-project")
    done = run(*asked, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "scc-responder: --store firestore://example-project: give firestore://PROJECT/DATABASE[/COLLECTION], "
        "or the path of a SQLite file\n"
    )
    assert list(tmp_path.iterdir()) == []
