"""Load Google's and Kubernetes' clients without the parts that a finding never needs: a cold start is mostly imports.

The clients' packages load every service, an asynchronous twin and a REST transport of each client, `aiohttp` and
`cryptography`, whatever is used. `obtain` imports the module that defines one client while the modules listed as
deferred stay unread. A deferred module is still complete: its first use, at any later time, runs the ordinary import,
so nothing of a library is missing or replaced. It is what Python 3.15's lazy imports do (and Google's packages declare
them: `__lazy_modules__`) for the versions before. Where a library's layout is not the one known here, the ordinary
import is made instead: slower, and equal.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from scc_responder.domain.value import Value

_LOGGER = logging.getLogger(__name__)
_IN_PHASE = threading.local()
_REPLACING = threading.Lock()
_LOADING = threading.RLock()
_READ_LATER = frozenset({"__all__", "__version__"})


class Lean(Value, frozen=True, kw_only=True):
    """One class or function of a library, and what need not be read for it.

    `package` offers it as `name`; `module` is the one that defines it.
    """

    package: str
    name: str
    module: str
    deferred: tuple[str, ...] = ()


def _client(package: str, service: str, name: str, *, is_of_service: bool = False) -> Lean:
    """A generated client: its package's face, its asynchronous twin and its other transports are deferred.

    `is_of_service`: the service's package offers it and the one above does not.
    """
    at = f"{package}.services.{service}"
    unused = ("transports", "transports.grpc_asyncio", "transports.rest", "async_client")
    return Lean(
        package=at if is_of_service else package,
        name=name,
        module=f"{at}.client",
        deferred=(package, at, *(f"{at}.{module}" for module in unused), *_GOOGLE_SHARED),
    )


def _part(module: str, name: str, deferred: tuple[str, ...], *, package: str = "") -> Lean:
    return Lean(package=package or module, name=name, module=module, deferred=deferred)


_GOOGLE_SHARED = (
    "google.api_core.grpc_helpers_async",
    "google.api_core.operation_async",
    "google.api_core.operations_v1",  # long-running operations: its asynchronous REST transport loads aiohttp
    "google.auth.transport.requests",
    "google.oauth2.service_account",  # reads key files; loads cryptography
    "grpc_status._async",  # loads grpc.aio
)

SECURITY_CENTER = _client("google.cloud.securitycenter_v2", "security_center", "SecurityCenterClient")
CLUSTER_MANAGER = _client("google.cloud.container_v1", "cluster_manager", "ClusterManagerClient")
KEY_MANAGEMENT = _client("google.cloud.kms_v1", "key_management_service", "KeyManagementServiceClient")
LOGGING = _client("google.cloud.logging_v2", "logging_service_v2", "LoggingServiceV2Client", is_of_service=True)
MONITORING = _client("google.cloud.monitoring_v3", "metric_service", "MetricServiceClient")
CLOUD_RUN = {
    "services": _client("google.cloud.run_v2", "services", "ServicesClient"),
    "revisions": _client("google.cloud.run_v2", "revisions", "RevisionsClient"),
    "jobs": _client("google.cloud.run_v2", "jobs", "JobsClient"),
    "executions": _client("google.cloud.run_v2", "executions", "ExecutionsClient"),
}
LOG_SINKS = _client("google.cloud.logging_v2", "config_service_v2", "ConfigServiceV2Client", is_of_service=True)
FIRESTORE = _client("google.cloud.firestore_v1", "firestore", "FirestoreClient", is_of_service=True)

GENERATED_PUBLISHER = _client("google.pubsub_v1", "publisher", "PublisherClient")
PUBLISHER = _part(
    "google.cloud.pubsub_v1.publisher.client",
    "Client",
    ("google.cloud.pubsub_v1", "google.cloud.pubsub_v1.publisher", *GENERATED_PUBLISHER.deferred),
    package="google.cloud.pubsub_v1.publisher",
)

_SIGNING = ("google.auth.iam", "google.auth.jwt", *_GOOGLE_SHARED)  # loads cryptography
_COMPUTE_ENGINE = "google.auth.compute_engine"
METADATA_CREDENTIALS = _part(f"{_COMPUTE_ENGINE}.credentials", "Credentials", _SIGNING, package=_COMPUTE_ENGINE)
IMPERSONATED_CREDENTIALS = _part("google.auth.impersonated_credentials", "Credentials", _SIGNING)
HTTP_REQUEST = _part("google.auth.transport.urllib3", "Request", _GOOGLE_SHARED)
SECURE_CHANNEL = _part("google.auth.transport.grpc", "secure_authorized_channel", _GOOGLE_SHARED)
# `kubernetes` loads kubeconfig, dynamic, watch, stream, informer
KUBERNETES_REST = _part("kubernetes.client.rest", "RESTClientObject", ("kubernetes", "kubernetes.utils"))


def obtain(lean: Lean) -> Any:
    """The library's own class or function that `lean` describes. Raises ImportError if it is not installed."""
    # One thread at a time: Python resolves a deadlock of two threads' imports by giving one a half-read module.
    try:
        with _LOADING, _deferring(lean.deferred):
            return getattr(import_module(lean.module), lean.name)
    except (ImportError, AttributeError, TypeError) as error:
        _LOGGER.info("%s is laid out otherwise than expected (%s): importing all of it", lean.package, error)
    return getattr(import_module(lean.package), lean.name)


@contextmanager
def _deferring(names: Sequence[str]) -> Generator[None]:
    """Let this thread's imports leave `names` unread."""
    finder = _DeferringFinder(names)
    before = getattr(_IN_PHASE, "active", False)
    sys.meta_path.insert(0, finder)
    _IN_PHASE.active = True
    try:
        yield
    finally:
        _IN_PHASE.active = before
        sys.meta_path.remove(finder)


class _DeferringFinder(MetaPathFinder):
    def __init__(self, names: Sequence[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(self, name: str, path: Sequence[str] | None, _target: object = None) -> ModuleSpec | None:
        if name not in self._names or threading.get_ident() != self._thread:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None:
            spec.loader = _Unread()
        return spec


class _Unread(Loader):
    """Creates modules without reading them."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _DeferredModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Leave it unread."""


class _DeferredModule(ModuleType):
    """Stands for an unread module. Whoever asks it for a name gets the real module's.

    While clients are being loaded it answers with `_Later` instead: generated code takes names from modules
    (`from .rest import SecurityCenterRestTransport`) for its type annotations and registries.
    """

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in _READ_LATER:
            raise AttributeError(name)  # asked by the import system and by inspection: no use of the module
        if not getattr(_IN_PHASE, "active", False):
            return getattr(_read(self), name)
        path = vars(self).get("__path__")
        if path is not None and PathFinder.find_spec(f"{self.__name__}.{name}", path):
            raise AttributeError(name)  # a submodule: the import system goes on to import it
        return _Later(name, (), {"__module__": self.__name__})


def _read(unread: ModuleType) -> ModuleType:
    """The real module in place of the unread one."""
    name = unread.__name__
    with _REPLACING:
        if sys.modules.get(name) is unread:
            del sys.modules[name]
    module = import_module(name)
    for key, value in vars(unread).items():
        if isinstance(value, ModuleType):  # submodules that were imported before their package
            vars(module).setdefault(key, value)
    return module


class _Later(type):
    """A class of an unread module, by name. Calling it, or taking an attribute, reads the module."""

    def __new__(cls, name: str, bases: tuple[type, ...], names: dict[str, Any]) -> _Later:
        if bases:
            raise TypeError(f"{name} is derived from a class of a deferred module")
        return super().__new__(cls, name, bases, names)

    def _real(cls) -> Any:
        return getattr(import_module(cls.__module__), cls.__name__)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        return cls._real()(*args, **kwargs)

    def __getattr__(cls, name: str) -> Any:
        if getattr(_IN_PHASE, "active", False):
            raise AttributeError(name)
        return getattr(cls._real(), name)

    def __instancecheck__(cls, value: object) -> bool:
        module = sys.modules.get(cls.__module__)
        return not isinstance(module, _DeferredModule | None) and isinstance(value, getattr(module, cls.__name__))
