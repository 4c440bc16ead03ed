"""What every test may use: `control_plane`, `namespace`, `node`, and Google's side (kits/google/fixtures.py)."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.cluster import binaries, given, objects
from tests.cluster import control_plane as cluster
from tests.cluster.client import ApiFailure
from tests.cluster.control_plane import ControlPlane
from tests.counts import CountsReport
from tests.kits.as_shipped import clone_as_shipped
from tests.kits.google.fixtures import cluster_manager, emulator, firestore, key_management, security_center
from tests.requirements import RequirementsReport, missing
from tests.schedule import Schedule, place
from tests.scratch import ScratchFolder

__all__ = ["cluster_manager", "emulator", "firestore", "key_management", "security_center"]
CLUSTER_FOLDER = "scc_responder_cluster_folder"
# A `make` that a test starts has the options of that test alone, whatever `make test` was asked for.
HANDED_ON_BY_MAKE = ("MAKEFLAGS", "MAKEOVERRIDES", "MFLAGS", "MAKELEVEL", "AGAIN")
PROGRAMS = pytest.StashKey[dict[str, Path] | binaries.BinariesUnavailable]()


def pytest_configure(config: pytest.Config) -> None:
    """Write in memory; report requirements that could not be met, and what ran at a reduced count."""
    for name in HANDED_ON_BY_MAKE:
        os.environ.pop(name, None)
    config.pluginmanager.register(ScratchFolder(), "scratch-folder")
    config.pluginmanager.register(RequirementsReport(), "requirements-report")
    config.pluginmanager.register(CountsReport(), "counts-report")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Let all pytest-xdist workers of this run share one control plane, which ends with this process."""
    node.workerinput[CLUSTER_FOLDER] = (str(_cluster_folder()), os.getpid())


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Schedule:
    """Let the processes of a run divide the tests by files."""
    return Schedule(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect no garbage while a million objects are made that stay, and look at none of these afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what takes longest begin first."""
    items.sort(key=lambda item: place(item.nodeid))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the cluster's programs before the first test, whose time-out is shorter than that takes."""
    wanted = any("control_plane" in getattr(item, "fixturenames", ()) for item in session.items)
    if wanted and not session.config.option.collectonly and not given.kubeconfig():
        try:
            with _uncaptured(session.config):
                session.config.stash[PROGRAMS] = binaries.programs()
        except binaries.BinariesUnavailable as error:
            session.config.stash[PROGRAMS] = error


def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the control plane, once all workers are done with it."""
    if not hasattr(session.config, "workerinput"):
        folder = _cluster_folder()
        cluster.stop(folder)
        folder.with_suffix(".lock").unlink(missing_ok=True)


@pytest.fixture(scope="session", autouse=True)
def as_shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Work where `policies/` is as it was shipped: a clone whose policies somebody has changed fails no test."""
    with contextlib.chdir(clone_as_shipped(tmp_path_factory.mktemp("as-shipped"))):
        yield


@pytest.fixture(scope="session")
def control_plane(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> ControlPlane:
    """A real API server with controllers and played kubelets: one for the whole run."""
    kubeconfig = given.kubeconfig()
    if kubeconfig:
        return given.attach(Path(kubeconfig).absolute(), tmp_path_factory.mktemp("given-cluster"))
    programs = pytestconfig.stash.get(PROGRAMS, None) or binaries.programs()
    if isinstance(programs, binaries.BinariesUnavailable):
        missing("the test cluster", programs.reason, programs.remedy)
    folder, owner = getattr(pytestconfig, "workerinput", {}).get(CLUSTER_FOLDER, (str(_cluster_folder()), os.getpid()))
    with Path(folder).with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (Path(folder) / "state.json").exists():
            return ControlPlane.attach(Path(folder))
        return cluster.start(Path(folder), programs, owner)


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """The name of a fresh namespace, in which pods can be made."""
    name = objects.create_namespace(control_plane.admin)
    yield name
    control_plane.admin.delete(f"/api/v1/namespaces/{name}")


@pytest.fixture
def node(control_plane: ControlPlane) -> Iterator[dict[str, Any]]:
    """A fresh node, ready; its name is `node["metadata"]["name"]`."""
    created = objects.create_node(control_plane.admin)
    yield created
    name = created["metadata"]["name"]
    for item in (name, objects.spare_of(name)):
        with contextlib.suppress(ApiFailure):
            control_plane.admin.delete(f"/api/v1/nodes/{item}")


def _cluster_folder() -> Path:
    return Path(tempfile.gettempdir()) / f"scc-control-plane-{os.getpid()}"


@contextlib.contextmanager
def _uncaptured(config: pytest.Config) -> Iterator[None]:
    """Let progress reach the terminal."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else contextlib.nullcontext():
        yield


# A test that says how long something may take measures it; examples slow on a busy machine are no fault.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
