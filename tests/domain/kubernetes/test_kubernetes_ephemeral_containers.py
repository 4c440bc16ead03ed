"""Our ephemeral containers have fixed forms, which the admission policy binds us to."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from scc_responder.domain.kubernetes.ephemeral_containers import (
    MOST_REQUEST_CHARACTERS,
    InsertedContainer,
    LookRequest,
    WantedFile,
    cut_form,
    ephemeral_of,
    ephemeral_status,
    is_root_form,
    own_form,
    request_argument,
    root_form,
    thaw_forms,
)


def decoded(text: str) -> Any:
    """The JSON in an argument."""
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def test_each_form_drops_all_and_adds_little() -> None:
    """No form has more than it needs, and none may gain more."""
    forms = {"cut": cut_form(), "look": root_form(), "host network": root_form(network=True)}
    forms["thaw"] = thaw_forms(pod(), "app")[0]
    assert {name: form.security["capabilities"]["add"] for name, form in forms.items()} == {
        "cut": ["NET_ADMIN"],
        "look": ["SYS_PTRACE", "DAC_OVERRIDE", "KILL"],
        "host network": ["SYS_PTRACE", "DAC_OVERRIDE", "KILL", "NET_ADMIN"],
        "thaw": ["KILL"],
    }
    assert all(form.security["capabilities"]["drop"] == ["ALL"] for form in forms.values())
    assert all(form.security["allowPrivilegeEscalation"] is False for form in forms.values())
    assert [is_root_form(form.security) for form in forms.values()] == [False, True, True, False]


def pod(security: Any = None, user: Any = None) -> dict[str, Any]:
    """A pod of one container."""
    status = {"name": "app", **({"user": {"linux": user}} if user else {})}
    container = {"name": "app", **({"securityContext": security} if security else {})}
    return {"spec": {"containers": [container]}, "status": {"containerStatuses": [status]}}


@pytest.mark.parametrize(
    ("security", "user", "expected"),
    [
        (None, None, {}),
        (None, {"uid": 1000, "gid": 1000}, {"runAsUser": 1000, "runAsGroup": 1000}),
        ({"runAsUser": 7}, {"uid": 0, "gid": 0}, {"runAsUser": 0, "runAsGroup": 0}),
        (
            {"runAsNonRoot": True, "runAsUser": 7, "capabilities": {"drop": ["ALL"]}, "procMount": "Unmasked"},
            None,
            {"runAsNonRoot": True, "runAsUser": 7, "capabilities": {"drop": ["ALL"]}},
        ),
    ],
)
def test_own_form_is_the_targets(security: Any, user: Any, expected: dict[str, Any]) -> None:
    """It passes wherever the target passed, with the user and group that the kubelet reports."""
    form = own_form(pod(security, user), "app")
    assert form is not None
    assert (form.own, form.security) == (True, {**expected, "readOnlyRootFilesystem": True})
    assert not is_root_form(form.security)


def test_a_privileged_target_lends_no_form() -> None:
    """We are never privileged, whatever the target is."""
    assert own_form(pod({"privileged": True}), "app") is None


def test_the_patch_adds_one_container_and_nothing_else() -> None:
    """The UID is a condition; no volumes, no variables, no input."""
    cut = InsertedContainer(name="scc-responder-cut-1", target="", arguments=("cut", "-key=K"))
    body = cut.patch("image@sha256:1", "uid-1", cut_form())
    (container,) = body["spec"]["ephemeralContainers"]
    assert body["metadata"] == {"uid": "uid-1"}
    assert sorted(container) == [
        "args",
        "image",
        "imagePullPolicy",
        "name",
        "securityContext",
        "terminationMessagePolicy",
    ]
    look = InsertedContainer(name="scc-responder-look-1", target="app", arguments=("look",))
    patched = look.patch("image@sha256:1", "uid-1", root_form())
    assert patched["spec"]["ephemeralContainers"][0]["targetContainerName"] == "app"


def test_a_request_always_fits() -> None:
    """However long the finding is, its binary is asked for; words that an attacker made long go first."""
    binary = WantedFile(path="/tmp/x", sha256="a" * 64, hashed_size=1, size=2)
    many = tuple(WantedFile(path="/" + "x" * 3000) for _ in range(16))
    text = request_argument(LookRequest(binaries=(binary,), libraries=many, args=("y" * 4000, "z" * 9000)))
    assert len(text) <= MOST_REQUEST_CHARACTERS
    assert "=" not in text
    assert decoded(text)["binaries"] == [{"path": "/tmp/x", "sha256": "a" * 64, "hashed_size": 1, "size": 2}]
    assert decoded(request_argument(LookRequest(args=("ä",))))["args"] == ["ä"]


def test_a_container_is_found_by_its_name() -> None:
    """In the spec from the patch on, in the status once the kubelet reports it."""
    read = {
        "spec": {"ephemeralContainers": [{"name": "other"}, {"name": "ours", "image": "i"}]},
        "status": {"ephemeralContainerStatuses": [{"name": "ours", "state": {"running": {}}}]},
    }
    assert ephemeral_of(read, "ours") == {"name": "ours", "image": "i"}
    assert ephemeral_of(read, "none") is None
    assert ephemeral_status(read, "ours")["state"] == {"running": {}}
    assert ephemeral_status({}, "ours") == {}
