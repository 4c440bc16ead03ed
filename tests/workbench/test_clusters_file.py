"""Local clusters: a file of kubeconfig contexts, read strictly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.finding import ClusterRef
from scc_responder.domain.kubernetes import api_paths
from scc_responder.workbench.clusters_file import ClustersFile
from tests.kits.fault_proxy import FaultProxy
from tests.kits.local_clusters import FOUND, SHOP, clusters, kubeconfig, tokens

BANK = ClusterRef(project="example-project", location="europe-west1", name="bank")


def test_a_cluster_is_reached_through_its_context(tmp_path: Path, context_server: FaultProxy) -> None:
    """A cluster is reached as its context says, by connections that are kept."""
    context_server.play(lambda call: FOUND)
    kubeconfig(tmp_path, context_server)
    local = ClustersFile(clusters(tmp_path))
    assert local.connect(SHOP).get(api_paths.namespace("shop")) == {"kind": "Namespace"}
    assert tokens(context_server) == ["Bearer t"]
    assert local.connect(SHOP) is local.connect(SHOP)


@pytest.mark.parametrize(
    ("fields", "autopilot", "enforces"),
    [
        ("", None, None),
        ("  autopilot: true\n  enforces_network_policy: false\n", True, False),
        ("  autopilot: false\n  enforces_network_policy: true\n", False, True),
    ],
    ids=["unsaid", "autopilot", "standard"],
)
def test_what_the_file_omits_is_unknown(
    tmp_path: Path, context_server: FaultProxy, fields: str, autopilot: Any, enforces: Any
) -> None:
    """What the file does not say of a cluster is unknown, not false."""
    kubeconfig(tmp_path, context_server)
    text = f"{SHOP.path}:\n  kubeconfig: kubeconfig\n  context: local\n{fields}"
    described = ClustersFile(clusters(tmp_path, text)).describe(SHOP)
    assert (described.ref, described.autopilot, described.enforces_network_policy) == (SHOP, autopilot, enforces)


def test_the_pool_of_identities(tmp_path: Path, context_server: FaultProxy) -> None:
    """Whose pool its service accounts are in is as the file says; unknown where it does not."""
    kubeconfig(tmp_path, context_server)
    for said, pool in (("", None), ("  workload_pool: example-project.svc.id.goog\n", "example-project.svc.id.goog")):
        text = f"{SHOP.path}:\n  kubeconfig: kubeconfig\n  context: local\n{said}"
        assert ClustersFile(clusters(tmp_path, text)).describe(SHOP).workload_pool == pool


def test_other_spelling_of_the_name(tmp_path: Path, context_server: FaultProxy) -> None:
    """`zones/` and a full resource name mean the same cluster."""
    kubeconfig(tmp_path, context_server)
    name = "//container.googleapis.com/projects/example-project/zones/europe-west1/clusters/shop"
    text = f'"{name}":\n  kubeconfig: kubeconfig\n  context: local\n'
    assert ClustersFile(clusters(tmp_path, text)).describe(SHOP).ref == SHOP


def test_an_unlisted_cluster_is_not_reached(tmp_path: Path, context_server: FaultProxy) -> None:
    """A cluster that is not in the file is not reached."""
    kubeconfig(tmp_path, context_server)
    local = ClustersFile(clusters(tmp_path))
    for call in (local.describe, local.connect):
        with pytest.raises(ApiError) as refused:
            call(BANK)
        assert (refused.value.reason, refused.value.status) == ("cluster_not_found", 404)


@pytest.mark.parametrize("name", ["shop", SHOP.path])
def test_a_local_cluster_can_stand_for_another(tmp_path: Path, context_server: FaultProxy, name: str) -> None:
    """A finding's cluster can be played by a local one, and by no other."""
    context_server.play(lambda call: FOUND)
    kubeconfig(tmp_path, context_server)
    renamed = ClustersFile(clusters(tmp_path)).renamed(BANK, name)
    assert renamed.describe(BANK).ref == BANK
    assert renamed.connect(BANK).get(api_paths.namespace("shop")) == {"kind": "Namespace"}
    with pytest.raises(ApiError, match="not in the file"):
        renamed.connect(SHOP)


@pytest.mark.parametrize("name", ["", "ban", "sho", "clusters/shop"])
def test_renamed_to_nothing(tmp_path: Path, context_server: FaultProxy, name: str) -> None:
    """A name that is in the file not at all is an error that lists those that are."""
    kubeconfig(tmp_path, context_server)
    with pytest.raises(SettingsError, match=SHOP.path):
        ClustersFile(clusters(tmp_path)).renamed(BANK, name)


def test_renamed_to_several(tmp_path: Path, context_server: FaultProxy) -> None:
    """A last part that two clusters share does not name one of them."""
    kubeconfig(tmp_path, context_server)
    entry = "\n  kubeconfig: kubeconfig\n  context: local\n"
    other = SHOP.path.replace("europe-west1", "us-central1")
    with pytest.raises(SettingsError, match="several"):
        ClustersFile(clusters(tmp_path, f"{SHOP.path}:{entry}{other}:{entry}")).renamed(BANK, "shop")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("- a\n", "must map", id="list"),
        pytest.param("shop:\n  context: local\n", "'shop' must be projects/P", id="short-name"),
        pytest.param(f"{SHOP.path}: local\n", "Expected `object`", id="no-fields"),
        pytest.param(f"{SHOP.path}:\n  kubeconfig: kubeconfig\n", "missing required field `context`", id="no-context"),
        pytest.param(f"{SHOP.path}:\n  context: local\n  kubecofnig: x\n", "unknown field `kubecofnig`", id="misspelt"),
        pytest.param(f"{SHOP.path}:\n  context: local\n  autopilot: maybe\n", r"\$.autopilot", id="type"),
        pytest.param(f"{SHOP.path}:\n  context: local\n  context: x\n", "'context' stands here twice", id="twice"),
        pytest.param(f"{SHOP.path}: &a\n  context: local\n", "anchors", id="anchor"),
        pytest.param("a: [", "clusters.yaml", id="no-yaml"),
        pytest.param(f"{SHOP.path}:\n  context: local\n  kubeconfig: none\n", "none: No such file", id="no-kubeconfig"),
        pytest.param(
            f"{SHOP.path}:\n  context: local\n  kubeconfig: ~nobody-here/config\n",
            "kubeconfig: ~nobody-here/config: there is no such user",
            id="no-user",
        ),
        pytest.param(
            f"{SHOP.path}:\n  context: nowhere\n  kubeconfig: kubeconfig\n",
            "no context named 'nowhere'; there are: local",
            id="unknown-context",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, context_server: FaultProxy, text: str, told: str) -> None:
    """A mistake in the file is found at the start, and named."""
    kubeconfig(tmp_path, context_server)
    with pytest.raises(SettingsError, match=told):
        ClustersFile(clusters(tmp_path, text))


def test_an_unreadable_file_is_named(tmp_path: Path) -> None:
    """A file that is not there, or no text, is named."""
    with pytest.raises(SettingsError, match=r"clusters\.yaml: No such file"):
        ClustersFile(tmp_path / "clusters.yaml")
    (tmp_path / "clusters.yaml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match="not UTF-8"):
        ClustersFile(tmp_path / "clusters.yaml")


def test_an_empty_file_lists_no_cluster(tmp_path: Path) -> None:
    """An empty file lists no cluster."""
    with pytest.raises(ApiError):
        ClustersFile(clusters(tmp_path, "# none\n")).describe(SHOP)
