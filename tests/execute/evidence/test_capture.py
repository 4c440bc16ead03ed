"""What a capture stores, and what it does while that takes long."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest

from scc_responder.domain.changes import StepRun
from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError, RetryableError
from scc_responder.domain.finding import Threat
from scc_responder.domain.reasons import Reason
from scc_responder.domain.status import Result, StepStatus
from scc_responder.execute.evidence.capture import capture, store_sealed
from scc_responder.execute.evidence.dsse import in_toto_statement
from scc_responder.execute.evidence.manifest import EvidenceObject
from scc_responder.execute.evidence.sealing import seal
from scc_responder.workbench.bundle.bundle_manifests import manifest_content
from tests.kits.captures import POD, ListedEvents
from tests.kits.journal_worlds import START, finding

OBJECTS = [EvidenceObject(name=f"cases/c/{n}.json", content=b"{}", kind="pod") for n in range(3)]


CASE = "0a0a0a0a0a0a"
STATEMENT = in_toto_statement({item.name: item.sha256 for item in OBJECTS}, {"case": CASE})
MANIFEST = seal(CASE, STATEMENT, None).manifest


class OneSlowObject:
    """`ports.Evidence` that stores one object late, and may refuse another."""

    def __init__(self, slow: str = "", refused: str = "") -> None:
        self.slow = slow
        self.refused = refused
        self.may = threading.Event()
        self.names: list[str] = []

    def put(self, name: str, _content: bytes) -> bool:
        if name == self.refused:
            raise ApiError(Reason.EVIDENCE_FORBIDDEN, status=403, permission="storage.objects.create")
        if name == self.slow:
            assert self.may.wait(timeout=10)
        self.names.append(name)
        return True


def within(store: Any, threads: ThreadPoolExecutor, **more: Any) -> Any:
    """The world that a manifest is stored in; without a key, unless one is given."""
    return SimpleNamespace(**{"evidence": store, "evidence_pool": threads, "signer": None, "store": None, **more})


def stored(store: OneSlowObject, seconds: float = 5.0, threads: int = 3) -> str:
    """Why the objects could not be stored; empty if they were."""
    pool = ThreadPoolExecutor(threads)
    try:
        store_sealed(OBJECTS, STATEMENT, CASE, within(store, pool), seconds)
    except ApiError as error:
        return error.reason
    finally:
        store.may.set()
        pool.shutdown()
    return ""


def step(renew: object) -> StepRun:
    """A step whose case is kept by this."""
    return StepRun(action_id="a", dry_run=False, intended=False, intend=lambda: None, renew=renew)


def test_the_manifest_is_stored_last() -> None:
    """What it names is complete."""
    store = OneSlowObject()
    assert stored(store) == ""
    assert (sorted(store.names[:3]), store.names[3:]) == ([item.name for item in OBJECTS], [MANIFEST.name])


@pytest.mark.parametrize(("slow", "manifests"), [(OBJECTS[0].name, 0), (MANIFEST.name, 1)], ids=["object", "manifest"])
def test_a_bucket_that_stalls_is_not_waited_for(slow: str, manifests: int) -> None:
    """By the clock on the wall: what was not begun is not begun any more, and no manifest names what may be missing."""
    began = monotonic()
    store = OneSlowObject(slow)
    assert stored(store, seconds=1.0) == "evidence_unavailable"
    assert monotonic() - began < 5
    assert store.names.count(MANIFEST.name) == manifests
    waiting = OneSlowObject(OBJECTS[0].name)
    assert stored(waiting, seconds=0.2, threads=1) == "evidence_unavailable"
    assert waiting.names == [OBJECTS[0].name]


def test_a_refused_object_is_told() -> None:
    """One object that cannot be stored fails the capture; the others are stored all the same."""
    store = OneSlowObject(refused=OBJECTS[0].name)
    assert stored(store) == "evidence_forbidden"
    assert sorted(store.names) == [item.name for item in OBJECTS[1:]]


class Kept:
    """`ports.Evidence` in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def put(self, name: str, content: bytes) -> bool:
        self.objects[name] = content
        return True

    @property
    def manifest(self) -> dict[str, Any]:
        """The one manifest."""
        (content,) = [content for name, content in self.objects.items() if "/manifest-" in name]
        return dict(manifest_content(content))


FACTS = Context(
    finding=finding(),
    threat=Threat(name="t", surface="pod", kind="ioc", confidence="likely"),
    related=(),
    missing={"owner": "not_found", "node": "deadline"},
    objects={"pod": {"kind": "Pod"}},
)
FORBIDDEN = ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="events: list in namespace shop")


def world(kept: Kept | None, events: Any, pool: ThreadPoolExecutor) -> Any:
    """What a capture needs of the world."""
    return within(kept, pool, api=ListedEvents(events), unread={}, pool=pool, clock=lambda: START, early={})


def captured(events: Any, kept: Kept) -> Result:
    """One capture, with these events to be listed."""
    with ThreadPoolExecutor(4) as pool:
        return capture(POD, step(lambda: None), FACTS, world(kept, events, pool))


def outcomes(kept: Kept) -> dict[str, str]:
    return {each["name"]: each["outcome"] for each in kept.manifest["sources"]}


def test_the_manifest_says_what_each_source_gave() -> None:
    """Kept, empty, or why not; the detail names the manifest and its hash."""
    kept = Kept()
    result = captured([], kept)

    assert (result.status, result.reason) == (StepStatus.DONE, "captured")
    assert result.detail.split(" sha256 ")[0] in kept.objects
    assert outcomes(kept) == {
        "finding": "kept",
        "namespace": "not_possible",
        "node": "not_possible",
        "owners": "not_possible",
        "pod": "kept",
        "related": "empty",
        "events": "empty",
    }
    assert kept.manifest["sources"][2] == {
        "name": "node",
        "moment": "before_isolation",
        "required": False,
        "outcome": "not_possible",
        "why": "deadline",
    }
    assert kept.manifest["missing"] == FACTS.missing


def test_without_the_required_events_the_step_fails_and_the_rest_is_kept() -> None:
    """The permission is told in the step, and in the manifest."""
    kept = Kept()
    result = captured(FORBIDDEN, kept)

    assert (result.status, result.reason) == (StepStatus.FAILED, "captured_without_events")
    assert result.detail.startswith("missing permission: events: list in namespace shop; cases/0a0a0a0a0a0a/manifest-")
    assert kept.manifest["missing"] == {
        "events": "missing permission: events: list in namespace shop",
        **FACTS.missing,
    }
    assert kept.manifest["sources"][-1]["permission"] == "events: list in namespace shop"
    assert (outcomes(kept)["events"], outcomes(kept)["pod"]) == ("refused", "kept")


PASSING = {
    "unavailable": (ApiError(Reason.SERVER_ERROR, "not now", status=503), RetryableError),
    "a-mistake-of-ours": (KeyError("metadata"), KeyError),
}


@pytest.mark.parametrize(("error", "raised"), PASSING.values(), ids=PASSING)
def test_what_was_read_is_kept_before_the_message_comes_again(error: Exception, raised: type[Exception]) -> None:
    """The pod may be gone when it does."""
    kept = Kept()
    with pytest.raises(raised):
        captured(error, kept)

    assert outcomes(kept)["pod"] == "kept"


def test_without_a_store_nothing_is_read() -> None:
    """The step fails with the remedy."""
    with ThreadPoolExecutor(1) as pool:
        result = capture(POD, step(lambda: None), FACTS, world(None, [], pool))

    assert (result.status, result.reason) == (StepStatus.FAILED, "no_evidence_store")
