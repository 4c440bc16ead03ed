"""Credentials from a kubeconfig file, for local use: tokens, token files, client certificates and exec plugins.

What cannot be done safely is refused by name: unverified TLS, proxies, passwords, impersonation.
Source: k8s.io/client-go/tools/clientcmd/api/v1.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.reasons import Reason
from scc_responder.domain.value import Value, resolved

_EXPIRY_MARGIN = timedelta(seconds=60)


class Access(Value, frozen=True, kw_only=True):
    """How to reach and to be known by one API server. `renew` gives another token where that is possible."""

    server: str
    ca_pem: bytes | None = None
    token: Callable[[], str]
    renew: Callable[[str], str] | None = None
    certificate_pem: bytes = b""
    key_pem: bytes = b""


class _Cluster(Value, frozen=True, kw_only=True, rename="kebab"):
    server: str
    certificate_authority: str = ""
    certificate_authority_data: str = ""
    insecure_skip_tls_verify: bool = False
    proxy_url: str = ""
    extensions: list[dict[str, Any]] = []
    tls_server_name: str = ""


class _User(Value, frozen=True, kw_only=True, rename="kebab"):
    token: str = ""
    token_file: str = msgspec.field(default="", name="tokenFile")
    client_certificate: str = ""
    client_certificate_data: str = ""
    client_key: str = ""
    client_key_data: str = ""
    exec: dict[str, Any] | None = None
    auth_provider: Any = None
    username: str = ""
    impersonate: str = msgspec.field(default="", name="as")


class _Context(Value, frozen=True, kw_only=True):
    cluster: str
    user: str = ""


class _NamedCluster(Value, frozen=True, kw_only=True):
    name: str
    cluster: _Cluster


class _NamedUser(Value, frozen=True, kw_only=True):
    name: str
    user: _User | None = None


class _NamedContext(Value, frozen=True, kw_only=True):
    name: str
    context: _Context


class _Config(Value, frozen=True, kw_only=True):
    clusters: list[_NamedCluster] = []
    users: list[_NamedUser] = []
    contexts: list[_NamedContext] = []


def read_access(path: Path, context: str) -> Access:
    """The access that one context of a kubeconfig gives.

    Raises SettingsError that names the file and what is wrong with it.
    """
    config = _read(path)
    chosen = _one(path, "context", context, [(item.name, item.context) for item in config.contexts])
    cluster = _one(path, "cluster", chosen.cluster, [(item.name, item.cluster) for item in config.clusters])
    users = [(item.name, item.user or _User()) for item in config.users]
    user = _one(path, "user", chosen.user, users) if chosen.user else _User()
    _refuse_unsafe(path, cluster, user)
    ca_pem = _content(path, cluster.certificate_authority, cluster.certificate_authority_data)
    token, renew = _tokens(path, user, _told_plugin(cluster, ca_pem))
    return Access(
        server=cluster.server,
        ca_pem=ca_pem or None,
        token=token,
        renew=renew,
        certificate_pem=_content(path, user.client_certificate, user.client_certificate_data),
        key_pem=_content(path, user.client_key, user.client_key_data),
    )


def _read(path: Path) -> _Config:
    import yaml  # noqa: PLC0415 - 40 ms that only local use pays

    try:
        text = path.read_text()
        # JSON may be indented by tabs, which YAML forbids.
        content = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
        return msgspec.convert(_as_json(content or {}), resolved(_Config))
    except OSError as error:
        raise SettingsError("unreadable_kubeconfig", f"{path}: {error.strerror}") from error
    except msgspec.ValidationError as error:
        told = f"{path}: no kubeconfig as kubectl reads it: {error}; correct this field"
        raise SettingsError("unusable_kubeconfig", told) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # nested without end, or in itself
        raise SettingsError("unusable_kubeconfig", f"{path}: not YAML") from error


def _as_json(value: Any) -> Any:
    """YAML as the JSON that kubectl makes of it: null fields are not set, and `!!binary` is base64."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {name: _as_json(item) for name, item in value.items() if item is not None}
    return [_as_json(item) for item in value] if isinstance(value, list) else value


def _one(path: Path, what: str, name: str, entries: list[tuple[str, Any]]) -> Any:
    named = [entry for known, entry in entries if known == name]
    if not named:
        known = ", ".join(sorted(known for known, _ in entries)) or "none"
        raise SettingsError("unusable_kubeconfig", f"{path}: no {what} named {name!r}; there are: {known}")
    if len(named) > 1:
        told = f"{path}: several {what}s named {name!r}, which kubectl refuses too; rename all but one"
        raise SettingsError("unusable_kubeconfig", told)
    return named[0]


def _refuse_unsafe(path: Path, cluster: _Cluster, user: _User) -> None:
    asked = {
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "proxy-url": cluster.proxy_url,
        "tls-server-name": cluster.tls_server_name,
        "auth-provider": user.auth_provider,
        "username": user.username,
        "as": user.impersonate,
    }
    for field, value in asked.items():
        if value:
            raise SettingsError(
                "unusable_kubeconfig", f"{path}: {field} is not supported; remove it or use another context"
            )


def _tokens(path: Path, user: _User, cluster: dict[str, Any]) -> tuple[Callable[[], str], Callable[[str], str] | None]:
    """A token that is given wins over a plugin, and a file of one over the token."""
    if user.token_file:
        return lambda: _content(path, user.token_file, "").decode().strip(), None
    if user.exec is not None and not user.token:
        plugin = _ExecToken(path, user.exec, cluster)
        return plugin, plugin.renew
    return user.token.strip, None


def _told_plugin(cluster: _Cluster, ca_pem: bytes) -> dict[str, Any]:
    """What a plugin that asks for it is told of the cluster. Source: client.authentication.k8s.io/v1 `Cluster`."""
    told = {"server": cluster.server, "certificate-authority-data": base64.b64encode(ca_pem).decode()}
    return {**{name: value for name, value in told.items() if value}, "extensions": cluster.extensions}


def _content(path: Path, file: str, data: str) -> bytes:
    """What a pair of fields gives: inline base64 wins over a file, whose name is relative to the kubeconfig's.

    The base64 may have line breaks, as block scalars and `base64` make them.
    """
    try:
        if data:
            return base64.b64decode("".join(data.split()), validate=True)
        return (path.parent / file).read_bytes() if file else b""
    except OSError as error:
        raise SettingsError("unusable_kubeconfig", f"{path}: {file}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError("unusable_kubeconfig", f"{path}: a `-data` field is not base64") from error


class _ExecToken:
    """The token that a credential plugin (such as gke-gcloud-auth-plugin) gives, kept until it expires."""

    def __init__(self, path: Path, command: dict[str, Any], cluster: dict[str, Any]) -> None:
        self._path = path
        self._command = command
        self._cluster = cluster
        self._token = ""
        self._expires: datetime | None = None
        self._lock = threading.Lock()

    def __call__(self) -> str:
        """The kept token, or a new one if it has expired. Raises ApiError `no_credentials`."""
        with self._lock:
            if not self._token or (self._expires and datetime.now(UTC) > self._expires - _EXPIRY_MARGIN):
                self._run()
            return self._token

    def renew(self, refused: str) -> str:
        """Another token than the refused one. Raises ApiError `no_credentials`."""
        with self._lock:
            if self._token == refused:
                self._run()
            return self._token

    def _run(self) -> None:
        plugins: Any = import_module("kubernetes.config.exec_provider")
        nodes: Any = import_module("kubernetes.config.kube_config")
        try:
            command = nodes.ConfigNode("exec", self._command)
            cluster = nodes.ConfigNode("cluster", self._cluster)
            status = plugins.ExecProvider(command, str(self._path.parent), cluster).run()
            self._token = status["token"]
            expires = status.get("expirationTimestamp")
            self._expires = _in_utc(datetime.fromisoformat(expires)) if expires else None
        except (OSError, KeyError, TypeError, ValueError, plugins.ConfigException) as error:
            raise ApiError(Reason.NO_CREDENTIALS, self._complaint(error)) from error

    def _complaint(self, error: Exception) -> str:
        """What a person can do. Nothing that the plugin printed: it may hold a token."""
        name, hint = self._command.get("command", ""), self._command.get("installHint", "")
        told = f"{self._path}: the credential plugin {name!r} gave no token"
        return f"{told}: it is not there. {hint}" if isinstance(error, FileNotFoundError) else f"{told}; run it by hand"


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
