"""Which kinds of policy a cluster serves."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.errors import ApiError
from scc_responder.domain.kubernetes.network_policies import discovery
from scc_responder.domain.kubernetes.network_policies.discovery import note_absent, served_kinds


def group(name: str, *versions: str) -> dict[str, Any]:
    return {"name": name, "versions": [{"groupVersion": f"{name}/{one}", "version": one} for one in versions]}


class Groups:
    """An API server that has these groups, and counts how often it is asked."""

    def __init__(self, *groups: dict[str, Any]) -> None:
        self.answer: Any = {"kind": "APIGroupList", "groups": [group("networking.k8s.io", "v1"), *groups]}
        self.asked: list[str] = []

    def get(self, path: str) -> Any:
        self.asked.append(path)
        return self.answer


def kinds(api: Any) -> list[str]:
    return [f"{kind.name} {' '.join(versions)}" for kind, versions in served_kinds(api)]


def test_only_kinds_of_served_groups_are_read() -> None:
    """The version that is known here comes first, then the others, the server's own first."""
    api = Groups(group("cilium.io", "v2alpha1", "v2"), group("policy.networking.k8s.io", "v1beta1"))
    assert kinds(api) == [
        "ClusterNetworkPolicy v1beta1",
        "AdminNetworkPolicy v1beta1",
        "CiliumNetworkPolicy v2 v2alpha1",
        "CiliumClusterwideNetworkPolicy v2 v2alpha1",
    ]
    assert kinds(Groups()) == []


def test_a_cluster_is_asked_once_in_ten_minutes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is kept for each cluster, with the kinds that turned out not to be there."""
    api, other = Groups(group("networking.gke.io", "v1alpha1")), Groups()
    now = [1000.0]
    monkeypatch.setattr(discovery.time, "monotonic", lambda: now[0])
    first = served_kinds(api)
    note_absent(api, first[0][0])
    assert (kinds(api), kinds(other)) == ([], [])
    assert (api.asked, other.asked) == (["/apis"], ["/apis"])
    now[0] += 601
    assert kinds(api) == ["FQDNNetworkPolicy v1alpha1"]
    assert api.asked == ["/apis", "/apis"]


UNUSABLE = [
    pytest.param({}, id="nothing"),
    pytest.param({"groups": None}, id="no-list"),
    pytest.param({"groups": [group("apps", "v1")]}, id="without-network-policies"),
    pytest.param({"groups": ["networking.k8s.io"]}, id="names"),
]


@pytest.mark.parametrize("answer", UNUSABLE)
def test_half_a_list_is_no_answer(answer: Any) -> None:
    """A list that cannot be the whole one proves nothing absent, and is not kept."""
    api = Groups()
    whole, api.answer = api.answer, answer
    with pytest.raises(ApiError, match="API groups"):
        served_kinds(api)  # type: ignore[arg-type]
    api.answer = whole
    assert kinds(api) == []
