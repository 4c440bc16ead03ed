"""Every evidence source is found by its file, and declares what a reader and an administrator need to know."""

from __future__ import annotations

import pytest

from scc_responder.domain.context import Context
from scc_responder.domain.errors import ApiError
from scc_responder.domain.finding import Threat
from scc_responder.domain.permissions import iam, observes
from scc_responder.domain.reasons import Reason
from scc_responder.execute.evidence import EvidenceItem, NotPossible, Source, evidence_sources
from scc_responder.workbench.needed_permissions import permissions_of
from tests.kits.captures import given
from tests.kits.journal_worlds import finding

THREAT = Threat(name="reverse_shell", surface="pod", kind="ioc", confidence="likely")
REFUSED = ApiError(Reason.KUBERNETES_FORBIDDEN, status=403, permission="nodes: get")


@pytest.mark.parametrize("source", evidence_sources().values(), ids=evidence_sources())
def test_each_source_declares_itself(source: Source) -> None:
    """It has documentation, a deadline that its lease outlasts, and a prefix that can begin an object's name."""
    assert (source.read.__doc__ or "").endswith(".")
    assert 0 < source.deadline_seconds < 120
    assert source.prefix.replace("-", "").isalpha()
    assert source.prefix.islower()


def test_the_action_needs_what_its_sources_read() -> None:
    """A source that declares a permission asks for it wherever evidence is captured."""
    stores = iam("storage.objects.create")
    logs = observes("pods/log", "get")
    assert {*observes("events", "list"), *stores} <= set(permissions_of("capture_evidence")) - set(logs)
    assert permissions_of("capture_logs") == (*logs, *stores)


def facts(**more: object) -> Context:
    return Context(finding=finding(), threat=THREAT, **more)  # type: ignore[arg-type]


MISSING = {
    "refused": (facts(missing={"node": "told to people"}), {"node": REFUSED}, ("told to people", "nodes: get")),
    "not-found": (facts(missing={"node": "not_found"}), {}, ("not_found", "")),
    "no-pod": (facts(missing={"pod": "target_absent"}), {}, ("target_absent", "")),
    "nothing-named": (facts(), {}, ("pod_not_named", "")),
}


@pytest.mark.parametrize(("context", "errors", "expected"), MISSING.values(), ids=MISSING)
def test_a_fact_that_was_not_read_says_why(
    context: Context, errors: dict[str, ApiError], expected: tuple[str, str]
) -> None:
    """With the permission that was missing when it was to be read before the decision."""
    with pytest.raises(NotPossible) as caught:
        given(context, errors=errors).kubernetes_object("node")
    assert (caught.value.reason, caught.value.permission) == expected


def test_an_object_without_metadata_is_kept() -> None:
    """An API server may answer anything."""
    subject = given(facts(objects={"node": {"metadata": "odd"}}))
    assert subject.kubernetes_object("node") == (EvidenceItem(kind="node", content={"metadata": "odd"}),)
