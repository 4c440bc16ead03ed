"""What a look means: a file that could not be read is unknown, never gone, and never in the image."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from scc_responder.domain.kubernetes.container_facts import ArtefactHash, Origin
from scc_responder.execute.evidence.inspection.artefacts import KeptFile
from scc_responder.execute.evidence.inspection.facts import Past, inspection_of
from scc_responder.execute.evidence.inspection.image_history import ImageHistory

STARTED = datetime(2026, 3, 1, 9, 0, 0, tzinfo=UTC)
BEFORE, AFTER = "2026-02-20T10:00:00.000Z", "2026-03-01T09:31:04.000Z"
WHOLE = {"a1": KeptFile(said={}, size=3, sha256="c" * 64, whole=True, why="")}


def file(**fields: Any) -> dict[str, Any]:
    """A file that the finding names, as a collector tells of it."""
    return {
        "role": "binary",
        "index": 0,
        "path": "/tmp/x",
        "hash": "matches",
        "on_disk": {"state": "regular", "changed_at": AFTER},
        "mount": {"volume": False},
        "package": {"name": "", "installed_at": ""},
        "artefact": "a1",
        **fields,
    }


def told(
    *files: Any,
    own_form: bool = False,
    started: datetime | None = STARTED,
    image: ImageHistory | None = None,
    **documents: Any,
) -> Any:
    """The facts of a look that told of these files."""
    known = {"files": {"files": [*files]}} if files else {}
    past = Past(started_at=started, image=image or ImageHistory())
    return inspection_of({**known, **documents}, WHOLE, past, own_form=own_form)


PACKAGE = {"name": "gcc-12", "installed_at": AFTER}


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({}, Origin.ADDED),
        ({"on_disk": {"state": "regular", "changed_at": BEFORE}}, Origin.IN_IMAGE),
        ({"package": PACKAGE}, Origin.ADDED_BY_PACKAGE_MANAGER),
        ({"package": {**PACKAGE, "installed_at": BEFORE}}, Origin.CHANGED),
        ({"package": {**PACKAGE, "installed_at": ""}}, Origin.UNKNOWN),
        ({"mount": {"volume": True}}, Origin.ON_VOLUME),
        ({"on_disk": {"state": "gone"}}, Origin.UNKNOWN),
        ({"on_disk": {"state": "denied"}}, Origin.UNKNOWN),
        ({"on_disk": {"state": "regular", "changed_at": "2026-03-01T09:00:00.900Z"}}, Origin.UNKNOWN),
        ({"on_disk": {"state": "regular", "changed_at": "yesterday"}}, Origin.UNKNOWN),
        ({"on_disk": None, "mount": 7, "package": []}, Origin.UNKNOWN),
    ],
)
def test_where_a_file_came_from(fields: Any, origin: Origin) -> None:
    """By the time that nobody sets at will; within the second of the start nobody can tell."""
    assert told(file(**fields)).artefact.origin is origin


def test_without_the_start_nobody_can_tell() -> None:
    """A container whose start is not known has no files that were added."""
    assert told(file(), started=None).artefact.origin is Origin.UNKNOWN


MADE = datetime(2026, 2, 10, tzinfo=UTC)
IMAGE = ImageHistory(lines=((MADE, "COPY x /tmp/x"), (MADE, "RUN apt-get install -y gcc curl")), made_at=MADE)
WITHIN = {"state": "regular", "changed_at": "2026-03-01T09:00:00.900Z"}
YOUNG, OLD = "2026-03-01T08:00:00Z", "2026-02-09T00:00:00Z"


@pytest.mark.parametrize(
    ("fields", "origin"),
    [
        ({}, Origin.CHANGED),
        ({"path": "/tmp/y"}, Origin.ADDED),
        ({"package": {"name": "curl", "installed_at": AFTER}}, Origin.CHANGED),
        ({"package": {"name": "ncat", "installed_at": AFTER}}, Origin.ADDED_BY_PACKAGE_MANAGER),
        ({"on_disk": {**WITHIN, "modified_at": YOUNG}}, Origin.ADDED),
        ({"on_disk": {**WITHIN, "modified_at": OLD}}, Origin.UNKNOWN),
        ({"on_disk": {**WITHIN, "modified_at": "2026-02-10T00:04:00Z"}}, Origin.UNKNOWN),
        ({"on_disk": {"state": "regular", "changed_at": BEFORE, "modified_at": YOUNG}}, Origin.IN_IMAGE),
        ({"on_disk": {"state": "gone"}}, Origin.UNKNOWN),
        ({"mount": {"volume": True}}, Origin.ON_VOLUME),
    ],
)
def test_the_history_of_the_image_tells_more(fields: Any, origin: Origin) -> None:
    """What it names was there and is changed; what is younger than it was added. It puts no file into the image."""
    assert told(file(**fields), image=IMAGE).artefact.origin is origin


def test_the_history_unsays_no_doubt_of_the_targets_user() -> None:
    """Whoever runs as the attacker does is not believed for the sake of an image."""
    assert told(file(), image=IMAGE, own_form=True).artefact.origin is Origin.UNKNOWN


@pytest.mark.parametrize(
    ("changed", "origin", "since"),
    [
        (BEFORE, Origin.IN_IMAGE, MADE),
        (WITHIN["changed_at"], Origin.IN_IMAGE, MADE),
        (AFTER, Origin.CHANGED, datetime(2026, 3, 1, 9, 31, 4, tzinfo=UTC)),
    ],
)
def test_a_compiler_of_the_image_is_told_since_its_layer(changed: str, origin: Origin, since: datetime) -> None:
    """The node unpacked it later; the line of the image that installs it says when that was."""
    gcc = {"path": "/usr/bin/gcc", "changed_at": changed, "package": PACKAGE}
    found = told(**compilers(gcc), image=IMAGE).compiler
    assert (found.origin, found.installed_at) == (origin, since)


@pytest.mark.parametrize("word", ["matches", "differs", "gone", "unknown"])
def test_the_hash_is_told_as_it_was_read(word: str) -> None:
    """Four words, and any other is none."""
    assert told(file(hash=word)).artefact.hash == word
    assert told(file(hash="perhaps")).artefact.hash is ArtefactHash.UNKNOWN
    assert told(file(hash=["matches"])).artefact.hash is ArtefactHash.UNKNOWN


def test_the_library_is_what_a_finding_is_about() -> None:
    """The program that loaded it, or the interpreter of a script, is not."""
    library, script = file(role="library", path="/l.so"), file(role="script", path="/s.sh")
    assert told(file(), script, library).artefact.path == "/l.so"
    assert told(file(), script).artefact.path == "/s.sh"
    assert told(file(index=1, path="/b"), file(path="/a")).artefact.path == "/a"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, (ArtefactHash.MATCHES, Origin.UNKNOWN, "c" * 64, True)),
        ({"hash": "gone"}, (ArtefactHash.UNKNOWN, Origin.UNKNOWN, "c" * 64, True)),
        ({"hash": "differs"}, (ArtefactHash.UNKNOWN, Origin.UNKNOWN, "c" * 64, True)),
        ({"artefact": ""}, (ArtefactHash.UNKNOWN, Origin.UNKNOWN, "", False)),
    ],
)
def test_the_targets_own_form_proves_its_bytes_alone(fields: Any, expected: Any) -> None:
    """Whoever runs as the same user can hide a file, and cannot forge one that has the finding's hash."""
    found = told(file(**fields), own_form=True)
    artefact = found.artefact
    assert (artefact.hash, artefact.origin, artefact.sha256, artefact.kept) == expected
    assert found.compiler is None


def compilers(*found: Any, **fields: Any) -> dict[str, Any]:
    """The document about compilers."""
    return {"compilers": {"compilers": [*found], "denied": {}, **fields}}


def test_no_compiler_is_told_only_where_all_was_read() -> None:
    """A denied read is no absence; without the document nothing is known."""
    assert told(**compilers()).compiler.present is False
    assert told(**compilers(denied={"file": 1})).compiler.present is None
    assert told().compiler is None


def test_a_compiler_is_told_with_its_package() -> None:
    """Which one, from where, and since when."""
    gcc = {"path": "/usr/bin/gcc", "changed_at": AFTER, "package": {**PACKAGE, "version": "12.2"}}
    found = told(**compilers(gcc)).compiler
    assert (found.present, found.path, found.package, found.version) == (True, "/usr/bin/gcc", "gcc-12", "12.2")
    assert (found.origin, found.installed_at) == (
        Origin.ADDED_BY_PACKAGE_MANAGER,
        datetime(2026, 3, 1, 9, 31, 4, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("changed", "count"),
    [
        (None, None),
        ({"files": [], "complete": True}, 0),
        ({"files": [], "complete": False}, None),
        ({"files": [], "complete": True, "denied": {"file": 2}}, None),
        ({"files": [{"marks": ["compiler_output"]}, {"marks": ["cron"]}, {}], "complete": False}, 1),
    ],
)
def test_what_a_compiler_made_is_counted(changed: Any, count: int | None) -> None:
    """None are told only where all changed files were seen."""
    known = compilers() | ({"changed_files": changed} if changed else {})
    assert told(**known).compiler.artefacts == count


def test_a_look_that_told_nothing_knows_nothing() -> None:
    """No fact is made up."""
    found = told()
    assert (found.artefact, found.compiler) == (None, None)
    assert told(files={"files": "no"}).artefact is None
