"""One context of a kubeconfig: how to reach an API server, and as whom; what is unsafe is refused."""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from scc_responder.adapters.kubernetes.kubeconfig import read_access
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.kubernetes import api_paths
from scc_responder.workbench.clusters_file import ClustersFile
from tests.cluster.control_plane import ControlPlane
from tests.kits.fault_proxy import Answer, FaultProxy
from tests.kits.local_clusters import FOUND, SHOP, clusters, kubeconfig, tokens

REFUSED = Answer(401, b'{"kind":"Status","reason":"Unauthorized"}')


@pytest.mark.parametrize(
    ("cluster", "user", "field"),
    [
        ({"insecure-skip-tls-verify": True}, {}, "insecure-skip-tls-verify"),
        ({"proxy-url": "http://192.0.2.1"}, {}, "proxy-url"),
        ({"tls-server-name": "x"}, {}, "tls-server-name"),
        ({}, {"username": "u", "password": "p"}, "username"),
        ({}, {"auth-provider": {"name": "gcp"}}, "auth-provider"),
        ({}, {"as": "admin"}, "as"),
        ({"certificate-authority-data": "!"}, {}, "not base64"),
        ({"certificate-authority-data": "", "certificate-authority": "none.pem"}, {}, "none.pem"),
        ({}, {"client-certificate": "none.pem"}, "none.pem"),
        ({"server": 7}, {}, r"\$.clusters\[0\].cluster.server"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unsafe_kubeconfig_is_refused(
    tmp_path: Path, context_server: FaultProxy, cluster: Any, user: Any, field: str
) -> None:
    """What would be unsafe, or misunderstood, is refused by name."""
    with pytest.raises(SettingsError, match=field):
        read_access(kubeconfig(tmp_path, context_server, user, **cluster), "local")


@pytest.mark.parametrize("content", ["a: [", "[]", "contexts: 7", "a: &a [*a]", "a: " + "[" * 5000])
def test_an_unusable_kubeconfig_is_named(tmp_path: Path, content: str) -> None:
    """A kubeconfig that is none is named."""
    (tmp_path / "kubeconfig").write_text(content)
    with pytest.raises(SettingsError, match="kubeconfig"):
        read_access(tmp_path / "kubeconfig", "local")


def test_a_cluster_with_an_unusable_address_is_unreadable(tmp_path: Path, context_server: FaultProxy) -> None:
    """A cluster whose address or certificate cannot be used is a cluster that cannot be read."""
    for server, told in (("http://192.0.2.1", "https"), ("https://[::1", "IPv6")):
        kubeconfig(tmp_path, context_server, server=server)
        with pytest.raises(ApiError, match=told):
            ClustersFile(clusters(tmp_path)).connect(SHOP)


def test_what_stands_inline_wins_over_a_file(tmp_path: Path, context_server: FaultProxy) -> None:
    """As kubectl has it: the file need not even be there."""
    kubeconfig(tmp_path, context_server, **{"certificate-authority": "nowhere.pem"})
    assert read_access(tmp_path / "kubeconfig", "local").ca_pem == context_server.ca_pem


def test_files_beside_the_kubeconfig(tmp_path: Path, context_server: FaultProxy) -> None:
    """Files are found relative to the kubeconfig; a token file is read anew each time, for it is rotated."""
    context_server.play(lambda call: FOUND)
    (tmp_path / "ca.pem").write_bytes(context_server.ca_pem or b"")
    authority = {"certificate-authority-data": "", "certificate-authority": "ca.pem"}
    kubeconfig(tmp_path, context_server, {"tokenFile": "token"}, **authority)
    api = ClustersFile(clusters(tmp_path)).connect(SHOP)
    for token in ("one", "two"):
        (tmp_path / "token").write_text(f"{token}\n")
        api.get(api_paths.namespace("shop"))
    assert tokens(context_server) == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize("form", ["lines", "block", "binary"])
def test_inline_certificates_are_read_as_kubectl_does(tmp_path: Path, context_server: FaultProxy, form: str) -> None:
    """Line breaks in base64 are skipped, `!!binary` is decoded, and null fields are not set."""
    pem = context_server.ca_pem or b""
    encoded = base64.encodebytes(pem).decode()
    block = "|\n" + "".join(f"        {line}\n" for line in encoded.splitlines())
    written = {"lines": json.dumps(encoded), "block": block, "binary": f"!!binary {block}"}[form]
    (tmp_path / "kubeconfig").write_text(
        f"clusters:\n- name: c\n  cluster:\n    server: {context_server.url}\n    proxy-url: null\n"
        f"    certificate-authority-data: {written}\n"
        "users:\n- name: u\n  user:\n    exec: null\n    token: |\n      secret\n"
        "contexts:\n- name: local\n  context: {cluster: c, user: u, namespace: null}\n"
    )
    access = read_access(tmp_path / "kubeconfig", "local")
    assert (access.ca_pem, access.token()) == (pem, "secret")


def test_a_name_given_twice_is_refused(tmp_path: Path) -> None:
    """As kubectl does: nobody can tell which is meant."""
    (tmp_path / "kubeconfig").write_text(
        "clusters: [{name: c, cluster: {server: 'https://192.0.2.1'}}, {name: c, cluster: {server: 'https://192.0.2.2'}}]\n"
        "contexts: [{name: local, context: {cluster: c}}]\n"
    )
    with pytest.raises(SettingsError, match="several clusters named 'c'"):
        read_access(tmp_path / "kubeconfig", "local")


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "files"])
def test_a_client_certificate_says_who_asks(tmp_path: Path, inline: bool) -> None:
    """A client certificate says who asks, as in kubeconfigs that kind writes."""
    with FaultProxy(script=lambda call: FOUND, ask_certificate=True) as server:
        pems = {"client-certificate": server.certificate_pem, "client-key": server.key_pem}
        for name, pem in pems.items():
            (tmp_path / name).write_bytes(pem)
        user = {
            f"{name}-data" if inline else name: base64.b64encode(pem).decode() if inline else name
            for name, pem in pems.items()
        }
        kubeconfig(tmp_path, server, user)
        assert ClustersFile(clusters(tmp_path)).connect(SHOP).get(api_paths.namespace("shop")) == {"kind": "Namespace"}
        assert tokens(server) == [""]
        kubeconfig(tmp_path, server)
        with pytest.raises(ApiError):
            ClustersFile(clusters(tmp_path)).connect(SHOP).get(api_paths.namespace("shop"))


def plugin(folder: Path, **status: Any) -> dict[str, Any]:
    """A credential plugin that counts: its tokens are 1, 2, ..."""
    version = "client.authentication.k8s.io/v1"
    answer = json.dumps({"apiVersion": version, "kind": "ExecCredential", "status": {"token": "N", **status}})
    script = (
        "import pathlib; p = pathlib.Path('count'); n = int(p.read_text()) + 1 if p.exists() else 1;"
        f"p.write_text(str(n)); print({answer!r}.replace('N', str(n)))"
    )
    return {
        "exec": {"apiVersion": version, "command": sys.executable, "args": ["-c", script], "interactiveMode": "Never"}
    }


@pytest.mark.parametrize(
    ("expires", "expected"),
    [(None, ["Bearer 1", "Bearer 1"]), (3600, ["Bearer 1", "Bearer 1"]), (5, ["Bearer 1", "Bearer 2"])],
    ids=["forever", "later", "soon"],
)
def test_a_credential_plugin_runs_only_when_needed(
    tmp_path: Path, context_server: FaultProxy, expires: int | None, expected: list[str]
) -> None:
    """A plugin such as gke-gcloud-auth-plugin is run when its token is about to expire, no sooner."""
    context_server.play(lambda call: FOUND)
    moment = (datetime.now(UTC) + timedelta(seconds=expires)).strftime("%Y-%m-%dT%H:%M:%SZ") if expires else None
    kubeconfig(tmp_path, context_server, plugin(tmp_path, **({"expirationTimestamp": moment} if moment else {})))
    api = ClustersFile(clusters(tmp_path)).connect(SHOP)
    for _ in range(2):
        api.get(api_paths.namespace("shop"))
    assert tokens(context_server) == expected


@pytest.mark.parametrize(
    ("given", "expected"), [({"token": "mine"}, "mine"), ({"tokenFile": "token"}, "filed")], ids=["token", "file"]
)
def test_a_token_wins_over_a_plugin(
    tmp_path: Path, context_server: FaultProxy, given: dict[str, str], expected: str
) -> None:
    """As for kubectl."""
    (tmp_path / "token").write_text("filed\n")
    path = kubeconfig(tmp_path, context_server, {**plugin(tmp_path), **given})
    assert read_access(path, "local").token() == expected


def test_a_plugin_that_asks_for_it_is_told_of_the_cluster(tmp_path: Path, context_server: FaultProxy) -> None:
    """As GKE's kubeconfigs ask: its address, its authority, and what is meant for plugins."""
    script = "import os,json; i=json.loads(os.environ['KUBERNETES_EXEC_INFO'])['spec']['cluster'];"
    script += "t=i['server']+' '+i['certificate-authority-data'][:4]+' '+i['config']['a'];"
    script += "print(json.dumps({'apiVersion':'v1','kind':'ExecCredential','status':{'token':t}}))"
    asked = {"apiVersion": "v1", "command": sys.executable, "args": ["-c", script], "provideClusterInfo": True}
    config = {"name": "client.authentication.k8s.io/exec", "extension": {"a": "b"}}
    path = kubeconfig(tmp_path, context_server, {"exec": asked}, extensions=[config])
    assert read_access(path, "local").token() == f"{context_server.url} LS0t b"


def test_a_plugin_that_is_not_there_is_told_with_its_hint(tmp_path: Path, context_server: FaultProxy) -> None:
    """A person reads what to install."""
    asked = {"apiVersion": "v1", "command": "no-such-plugin", "installHint": "Install it by apt."}
    path = kubeconfig(tmp_path, context_server, {"exec": asked})
    with pytest.raises(ApiError, match=r"'no-such-plugin' gave no token: it is not there\. Install it by apt\."):
        read_access(path, "local").token()


def test_a_kubeconfig_may_be_json_with_tabs(tmp_path: Path, context_server: FaultProxy) -> None:
    """Which is no YAML."""
    path = kubeconfig(tmp_path, context_server)
    path.write_text(json.dumps(yaml.safe_load(path.read_text()), indent="\t"))
    assert read_access(path, "local").token() == "t"


def test_a_certificate_may_have_words_before_it(tmp_path: Path, context_server: FaultProxy) -> None:
    """In any language."""
    context_server.play(lambda call: FOUND)
    (tmp_path / "ca.pem").write_bytes("Zürich\n".encode() + (context_server.ca_pem or b""))
    kubeconfig(tmp_path, context_server, **{"certificate-authority-data": "", "certificate-authority": "ca.pem"})
    assert ClustersFile(clusters(tmp_path)).connect(SHOP).get(api_paths.namespace("shop")) == {"kind": "Namespace"}


def test_credential_plugin_is_run_again_when_refused(tmp_path: Path, context_server: FaultProxy) -> None:
    """A token that the server refuses is renewed once."""
    context_server.play({1: REFUSED, 2: FOUND})
    kubeconfig(tmp_path, context_server, plugin(tmp_path))
    ClustersFile(clusters(tmp_path)).connect(SHOP).get(api_paths.namespace("shop"))
    assert tokens(context_server) == ["Bearer 1", "Bearer 2"]


@pytest.mark.parametrize(
    "command",
    [
        {"command": "/nonexistent/plugin"},
        {"command": sys.executable, "args": ["-c", "raise SystemExit(3)"]},
        {"command": sys.executable, "args": ["-c", "print('{}')"]},
        {"command": sys.executable, "args": ["-c", "print(7)"]},
        {},
    ],
    ids=["absent", "fails", "empty", "odd", "none"],
)
def test_credential_plugin_fails(tmp_path: Path, context_server: FaultProxy, command: dict[str, Any]) -> None:
    """Where the plugin gives no token, nothing is sent."""
    context_server.play({})
    kubeconfig(tmp_path, context_server, {"exec": {"apiVersion": "client.authentication.k8s.io/v1", **command}})
    with pytest.raises(ApiError) as refused:
        ClustersFile(clusters(tmp_path)).connect(SHOP).get(api_paths.namespace("shop"))
    assert (refused.value.reason, context_server.count) == ("no_credentials", 0)


def test_the_kubeconfig_of_a_real_cluster_works(tmp_path: Path, control_plane: ControlPlane, namespace: str) -> None:
    """The kubeconfig of a real cluster works, each context with its own powers."""
    text = f"{SHOP.path}:\n  kubeconfig: {control_plane.kubeconfig}\n  context: responder\n"
    api = ClustersFile(clusters(tmp_path, text)).connect(SHOP)
    assert api.get(api_paths.namespace(namespace))["metadata"]["name"] == namespace
