"""A look into a container is kept as it comes: documents without secrets, files as they are, a manifest of both."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from scc_responder.adapters.google.artifact_registry import ArtifactRegistry
from scc_responder.domain.changes import Inspected
from scc_responder.domain.context import ContainerStatus
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.finding import Process
from scc_responder.domain.kubernetes.collector_stream import (
    Frame,
    new_private_key,
    public_text,
    read_frames,
)
from scc_responder.domain.kubernetes.container_facts import ArtefactHash, Origin
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus
from scc_responder.execute.evidence.inspection.keeping import keep_inspection
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from scc_responder.workbench.simulated_cluster.played_collector import sealed_lines
from tests.kits.collector_logs import artefact, document, ended, sealed
from tests.kits.decision_contexts import context
from tests.kits.executions import ExecutionWorld
from tests.kits.image_registry import ImageRegistry
from tests.kits.journal_worlds import JournalWorld
from tests.kits.kept_objects import KeptObjects
from tests.requirements import NOTE

MALWARE = b"\x7fELF" + bytes(5_000_000)
PROCESS = Process(binary="/tmp/x", sha256="a" * 64)
FILE = {"role": "binary", "index": 0, "path": "/tmp/x", "hash": "matches", "artefact": "a1"}
SECRET = "--password=hunter2hunter2"


def frames_of(plain: bytes, *, whole: bool = True) -> Iterator[Frame]:
    """What a collector tells."""
    private = new_private_key()
    log = sealed(ended(plain) if whole else plain, public_text(private))
    return read_frames([log], private)


class Keeper:
    """An execution's world with evidence in memory."""

    def __init__(self, folder: Path) -> None:
        self.store = KeptObjects()
        execution = ExecutionWorld(journal=JournalWorld(folder / "store.db")).execution()
        self.world: Any = replace(execution.world, evidence=self.store)

    def keep(
        self, plain: bytes, *, own_form: bool = False, whole: bool = True, names_files: bool = True
    ) -> tuple[Result, Any]:
        """Keep a look that told this."""
        inspected = Inspected(
            container="app", frames=frames_of(plain, whole=whole), own_form=own_form, renew=lambda: None
        )
        given = context(finding={"processes": (PROCESS,)} if names_files else {})
        return keep_inspection(inspected, given, self.world)

    def stored(self, part: str) -> list[bytes]:
        """The objects whose names hold this."""
        return [content for name, content in self.store.objects.items() if part in name]


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    """Somewhere to keep a look."""
    return Keeper(tmp_path)


def test_all_that_was_told_is_kept(keeper: Keeper) -> None:
    """Documents lose their secrets, command lines too; the file stays as it is, and the manifest says so."""
    names = ["DB_PASSWORD", "A1B2C3D4E5F6G7H8I9J0"]
    process = {"pid": 43, "args": ["/tmp/x", SECRET], "environ_names": names}
    processes = document("processes", processes=[process], denied={"environ": 1})
    result, facts = keeper.keep(processes + document("files", files=[FILE]) + artefact(MALWARE))
    assert (result.status, result.reason) == (StepStatus.DONE, Reason.INSPECTED)
    assert b"".join(keeper.stored("artefact-part")) == MALWARE
    (index,) = [json.loads(item)["files"] for item in keeper.stored("inspection-") if b"unredacted" in item]
    assert [part["name"] for part in index[0]["parts"]] == [name for name in keeper.store.objects if "-part-" in name]
    assert (index[0]["malicious"], index[0]["unredacted"], index[0]["path"]) == (True, True, "/tmp/x")
    (kept,) = [json.loads(item) for item in keeper.stored("inspection-") if b"processes" in item]
    assert kept["processes"][0]["args"][0] == "/tmp/x"
    assert "hunter2" not in json.dumps(kept)
    assert (kept["processes"][0]["environ_names"], kept["denied"]) == (names, {"environ": 1})
    assert (facts.artefact.hash, facts.artefact.kept) == (ArtefactHash.MATCHES, True)
    assert "manifest-" in result.detail
    assert "/tmp/x" not in result.detail
    (manifest,) = keeper.stored("manifest-")
    said = manifest_content(manifest)
    assert "hunter2" not in json.dumps(said)
    parts = [item["part"] for item in said["objects"] if item["kind"] == "artefact"]
    assert [part["number"] for part in parts] == list(range(parts[0]["count"]))


@pytest.mark.parametrize(
    ("plain", "options", "status", "reason"),
    [
        pytest.param(document("run"), {"names_files": False}, "done", "inspected", id="no-file-named"),
        pytest.param(document("run"), {}, "not_effective", "inspected_in_part", id="file-not-told"),
        pytest.param(document("files", files=[{**FILE, "hash": "gone"}]), {}, "done", "inspected_gone", id="gone"),
        pytest.param(
            document("files", files=[{**FILE, "hash": "gone"}]),
            {"own_form": True},
            "not_effective",
            "inspected_in_part",
            id="gone-says-its-own-user",
        ),
        pytest.param(
            document("files", files=[{**FILE, "hash": "unknown"}]),
            {},
            "not_effective",
            "inspected_in_part",
            id="denied",
        ),
        pytest.param(
            document("files", files=[FILE]) + artefact(b"abc", complete=False, why="size_limit"),
            {},
            "not_effective",
            "inspected_in_part",
            id="too-large",
        ),
        pytest.param(
            document("files", files=[FILE]) + artefact(b"abc"),
            {"whole": False},
            "not_effective",
            "inspected_in_part",
            id="truncated",
        ),
        pytest.param(
            document("files", files=[FILE]) + artefact(b"abc"), {"own_form": True}, "done", "inspected", id="own-form"
        ),
    ],
)
def test_what_a_look_comes_to(keeper: Keeper, plain: bytes, options: Any, status: str, reason: str) -> None:
    """Done only where every file that the finding names is kept whole, or is gone by a look that cannot be deceived."""
    result, _ = keeper.keep(plain, **options)
    assert (result.status, result.reason) == (status, reason)


def test_a_truncated_look_keeps_what_came(keeper: Keeper) -> None:
    """The manifest says that it is not the whole."""
    result, _ = keeper.keep(document("run") + document("matches", matches=[{}]), whole=False)
    assert "truncated" in result.detail
    assert len(keeper.stored("inspection-")) == 2


def test_a_store_that_fails_asks_for_another_try(keeper: Keeper) -> None:
    """The key is still there then, and the log is read again."""
    keeper.store.error = ApiError(Reason.EVIDENCE_UNAVAILABLE, "no")
    with pytest.raises(RetryableError):
        keeper.keep(document("files", files=[FILE]) + artefact(MALWARE))


def test_without_a_place_for_evidence_nothing_is_kept(keeper: Keeper) -> None:
    """The step says so."""
    keeper.world = replace(keeper.world, evidence=None)
    assert keeper.keep(document("run"))[0].reason == Reason.NO_EVIDENCE_STORE


IMAGES = "projects/shop/locations/europe/repositories/images"
BUILT = {"created": "2026-01-01T00:00:00Z", "history": [{"created_by": "COPY x /tmp/x # buildkit"}]}
CHANGED = {**FILE, "on_disk": {"state": "regular", "changed_at": "2026-03-02T09:10:00Z"}}


@pytest.fixture
def registry() -> Iterator[ImageRegistry]:
    """A registry that has the container's image."""
    with ImageRegistry() as server:
        yield server


def look_with(keeper: Keeper, registry: ImageRegistry, digest: str) -> tuple[Result, Any, dict[str, Any]]:
    """A look into a container that runs this image: its result, its facts, and what the manifest says of `image`."""
    asked = ArtifactRegistry([IMAGES], endpoint=registry.host, token=lambda: registry.token, timeout_seconds=1.0)
    keeper.world = replace(keeper.world, registry=lambda: asked)
    image_id = f"europe-docker.pkg.dev/shop/images/web@{digest}"
    started = datetime(2026, 3, 2, 9, tzinfo=UTC)
    subject = context(pod={"containers": (ContainerStatus(name="app", image_id=image_id, started_at=started),)})
    plain = document("files", files=[CHANGED]) + artefact(b"abc")
    inspected = Inspected(container="app", frames=frames_of(plain), own_form=False, renew=lambda: None)
    result, facts = keep_inspection(inspected, subject, keeper.world)
    (manifest,) = keeper.stored("manifest-")
    (said,) = (item for item in manifest_content(manifest)["sources"] if item["name"] == "image")
    return result, facts, said


def test_the_image_is_a_witness_of_its_own(keeper: Keeper, registry: ImageRegistry) -> None:
    """Its configuration is kept beside what the collector told, and says that the file was there and is changed."""
    result, facts, said = look_with(keeper, registry, registry.add_image("shop/images/web", BUILT))
    assert (result.reason, facts.artefact.origin, said["outcome"]) == (Reason.INSPECTED, Origin.CHANGED, "kept")
    (kept,) = keeper.stored("/image-")
    assert json.loads(kept)["config"]["history"] == BUILT["history"]


@pytest.mark.parametrize(
    ("status", "word", "permission"),
    [
        (403, "artifact_registry_forbidden", "artifactregistry.repositories.downloadArtifacts"),
        (500, "artifact_registry_status_500", ""),
    ],
)
def test_a_registry_that_refuses_fails_no_look(
    keeper: Keeper, registry: ImageRegistry, status: int, word: str, permission: str
) -> None:
    """The manifest says why, and everything else is as it would be without."""
    registry.answers = [status]
    result, facts, said = look_with(keeper, registry, registry.add_image("shop/images/web", BUILT))
    assert (result.reason, facts.artefact.origin) == (Reason.INSPECTED, Origin.ADDED)
    assert (said["why"], said.get("permission", "")) == (word, permission)


def test_without_repositories_the_manifest_says_so(keeper: Keeper) -> None:
    """Nothing is asked, and it is told that nothing was."""
    keeper.keep(document("run"), names_files=False)
    (manifest,) = keeper.stored("manifest-")
    (said,) = (item for item in manifest_content(manifest)["sources"] if item["name"] == "image")
    assert (said["outcome"], said["why"]) == ("not_possible", "no_image_repositories")


MEMORY = """
import sys
from pathlib import Path
from tempfile import mkdtemp
from tests.execute.evidence.inspection.test_keeping import large_looks
print(large_looks(Path(mkdtemp()), looks=int(sys.argv[1]), files=int(sys.argv[2])))
"""


class SlowStore(KeptObjects):
    """A store that takes its time, as a bucket does: what it is given waits in memory meanwhile."""

    def put(self, name: str, content: bytes) -> bool:
        """Keep its size."""
        time.sleep(0.05)
        return super().put(name, content)


def large_looks(folder: Path, *, looks: int, files: int) -> int:
    """KiB that the process takes at most for looks at once with files of 64 MiB each, above what it took before."""
    keeper = Keeper(folder)
    keeper.world = replace(keeper.world, evidence=SlowStore(forgetful=True))
    idle = _resident("VmRSS")
    with ThreadPoolExecutor(looks) as pool:
        results = [*pool.map(lambda number: _large_look(keeper, number, files), range(looks))]
    assert {result.reason for result in results} == {Reason.INSPECTED_IN_PART}
    assert len(keeper.world.evidence.sizes) > looks * files * 16
    return _resident("VmHWM") - idle


def _large_look(keeper: Keeper, look: int, files: int) -> Result:
    private = new_private_key()

    def plain() -> Iterator[bytes]:
        for number in range(files):
            yield _begin(number)
            for part in range(64):
                yield b"D" + (1 << 20).to_bytes(4, "big")
                yield from (bytes([look, number, part]) + bytes(8189) for _ in range(128))

    lines = sealed_lines(plain(), public_text(private), new_private_key())
    inspected = Inspected(container="app", frames=read_frames(lines, private), own_form=False, renew=lambda: None)
    return keep_inspection(inspected, context(), keeper.world)[0]


def _resident(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field)))


def _begin(number: int) -> bytes:
    payload = json.dumps({"id": f"a{number}", "role": "binary", "path": f"/tmp/{number}"}).encode()
    return b"A" + len(payload).to_bytes(4, "big") + payload


@pytest.mark.skipif(sys.platform != "linux", reason="sizes of processes are told in KiB on Linux alone")
@pytest.mark.parametrize(("looks", "files"), [(1, 4), (4, 1)], ids=["in-one-look", "in-four-looks"])
def test_large_files_take_little_memory(looks: int, files: int, record_property: Callable[[str, object], None]) -> None:
    """Four files of 64 MiB take less than 150 MB above what the process had: they are never whole in memory."""
    program = [sys.executable, "-c", MEMORY, str(looks), str(files)]
    taken = int(subprocess.run(program, capture_output=True, text=True, check=True).stdout)
    record_property(NOTE, f"{looks} look(s) at once with {files} file(s) of 64 MiB: {taken / 1000:.1f} MB above idle")
    assert taken < 150 * 1000
