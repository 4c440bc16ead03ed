"""A kustomization that was applied before identity.yaml was edited, or half of it: nobody gets anything by mistake."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.admission.installed import Installed
from tests.admission.test_acts import ALLOWED, DENIED, NOT_AN_ACT, Request, Targets, sent
from tests.cluster import objects
from tests.cluster.control_plane import ControlPlane

ACTS = {name: request for name, request in ALLOWED.items() if name not in {"own uid", "arm anew"}}


def _targets(plane: ControlPlane, *filled: str) -> Iterator[Targets]:
    """What the cluster holds, with admission in force, and the switch as far on as it goes."""
    installed = Installed(plane, objects.create_namespace(plane.admin), filled=filled)
    try:
        installed.apply()
        installed.switch("enforce")
        made = Targets(installed)
        yield made
        made.remove()
    finally:
        installed.remove()
        plane.admin.delete(f"/api/v1/namespaces/{installed.namespace}")


@pytest.fixture(scope="module")
def unedited(control_plane: ControlPlane) -> Iterator[Targets]:
    """As it is shipped."""
    yield from _targets(control_plane)


@pytest.fixture(scope="module")
def half_edited(control_plane: ControlPlane) -> Iterator[Targets]:
    """With the e-mail address alone."""
    yield from _targets(control_plane, "email")


@pytest.mark.parametrize("who", ["email", "unique_id"])
@pytest.mark.parametrize("request_of", ACTS.values(), ids=ACTS)
def test_an_unedited_kustomization_allows_no_write(
    unedited: Targets, request_of: Callable[[Targets], Request], who: str
) -> None:
    """The responder can write nothing under either name, not even its exact acts: no role is anybody's."""
    answer = sent(unedited, request_of(unedited), who)
    assert answer.status == 403
    assert " cannot " in answer.body["message"]


@pytest.mark.parametrize("request_of", ACTS.values(), ids=ACTS)
def test_the_other_name(half_edited: Targets, request_of: Callable[[Targets], Request]) -> None:
    """Under the name that is not filled in, it can write nothing: no role and no admission policy knows it."""
    answer = sent(half_edited, request_of(half_edited), "unique_id")
    assert answer.status == 403
    assert " cannot " in answer.body["message"]


def test_the_name_that_is_filled_in(half_edited: Targets) -> None:
    """Under that one it can do its acts, and is held to them: what grants and what holds know the same names."""
    assert sent(half_edited, ALLOWED["label"](half_edited), "email").status == 200
    request_of, words = DENIED["foreign label"]
    refused = sent(half_edited, request_of(half_edited), "email")
    assert (refused.status, words in refused.body["message"]) == (422, True)


def test_the_placeholder_itself(unedited: Targets) -> None:
    """Were somebody called so after all, that one would be held to the same acts."""
    name = unedited.installed.bound[0]
    path = unedited.pod()
    told = unedited.installed.send(name, "PATCH", path, {"metadata": {"labels": {"app": "other"}}})
    assert "only labels under scc-responder/" in told.body["message"]
    assert name == "EMAIL-FROM-TERRAFORM"
    assert NOT_AN_ACT not in told.body["message"]
