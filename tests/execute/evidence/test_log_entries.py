"""What entries of Cloud Logging say in a few words, and how much of them is kept."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.execute.evidence import log_entries as module
from scc_responder.execute.evidence.log_entries import LogNames, ask_logs
from scc_responder.execute.evidence.log_filters import LogQuery
from tests.kits.google.logging_server import audit_entry, line_entry, node_entry

AT = "2026-03-02T09:28:00Z"
NAMES = LogNames(
    ("namespaces/shop/pods/web-1", "namespaces/shop/deployments/web"),
    ("system:serviceaccount:shop:web", "/subject/ns/shop/sa/web"),
)
POD = "core/v1/namespaces/shop/pods/web-1"
WEB = "apps/v1/namespaces/shop/deployments/web"
SAID: dict[str, tuple[dict[str, Any], str]] = {
    "exec": (
        audit_entry(f"{POD}/exec", "io.k8s.core.v1.pods.exec.create", "alice@example.com", AT),
        "exec by alice@example.com 09:28, no call of the pod's identity",
    ),
    "exec-in-another-pod": (
        audit_entry(f"{POD}0/exec", "io.k8s.core.v1.pods.exec.create", "alice@example.com", AT),
        "no call of the pod's identity",
    ),
    "deployed": (
        audit_entry(WEB, "io.k8s.apps.v1.deployments.patch", "ci@example.com", AT),
        "patch of deployments/web by ci@example.com 09:28, no call of the pod's identity",
    ),
    "another-deployment": (
        audit_entry(f"{WEB}-admin", "io.k8s.apps.v1.deployments.patch", "ci@example.com", AT),
        "no call of the pod's identity",
    ),
    "only-read": (audit_entry(WEB, "io.k8s.apps.v1.deployments.get", "a@example.com", AT), "no call of the pod's"),
    "identity": (
        audit_entry("core/v1/secrets", "io.k8s.core.v1.secrets.list", "system:serviceaccount:shop:web", AT),
        "1 calls of the pod's identity",
    ),
    "hostile": (
        audit_entry(f"{POD}/exec", "exec", "a\u202e\x1b[2J" + "x" * 5000, AT),
        "exec by a\\u202e\\u001b[2Jx",
    ),
}


@pytest.mark.parametrize(("entry", "said"), SAID.values(), ids=SAID)
def test_the_audit_log_is_told_in_a_few_words(entry: dict[str, Any], said: str) -> None:
    """By exact names alone: the filter finds parts of names too."""
    told = NAMES.said_by_audit([entry])
    assert told.startswith(said)
    assert len(told) < 300


def test_lines_are_counted() -> None:
    """Of the pod, and of its node."""
    entries = [line_entry("a", AT), line_entry("b", AT), node_entry("c", AT, "1")]
    assert NAMES.said_by_lines(entries) == "2 entries of the pod, 1 of its node"


class Answers:
    """`ports.CloudLogs` that answers with these entries."""

    def __init__(self, *entries: dict[str, Any]) -> None:
        self._entries = [*entries]

    def entries(self, _project: str, _filter: str, most: int) -> tuple[list[dict[str, Any]], bool]:
        return self._entries[:most], True


def test_as_many_entries_are_kept_as_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest; it says how many were left out, and that there may be more."""
    monkeypatch.setattr(module, "MOST_BYTES", 1000)
    entries = [line_entry("x" * 300, AT) for _ in range(5)]
    item = ask_logs(Answers(*entries), "example-project", LogQuery(name="written", filter="f"), NAMES)
    assert (len(item.content["entries"]), item.content["left_out"], item.content["there_may_be_more"]) == (1, 4, True)
    assert ask_logs(Answers(), "example-project", LogQuery(name="who", filter="f"), NAMES).is_empty
