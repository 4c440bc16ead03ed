"""`terraform` with a provider, and the states of the module's own tests."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.binaries import BinariesUnavailable
from tests.kits.google.logging_server import LoggingServer
from tests.requirements import missing
from tests.terraform import extract_schema, program
from tests.terraform.checking import CHOICE, RULES, OwnTests, Terraform, reaches_registry
from tests.terraform.log_entries import WrittenLines
from tests.terraform.stub_provider import StubProvider, attached
from tests.terraform.written_lines import Lines, written_lines


@pytest.fixture(scope="session")
def terraform_program() -> Path:
    """The program."""
    try:
        return program.find()
    except BinariesUnavailable as error:
        missing("Terraform", error.reason, error.remedy)


@pytest.fixture(scope="session")
def provider_used(terraform_program: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """`registry`, or `schema` and why."""
    choice = os.environ.get(CHOICE, "auto")
    if choice != "auto":
        return choice
    why = reaches_registry(terraform_program, tmp_path_factory.mktemp("registry"))
    return f"schema, since the registry cannot be used: {why}" if why else "registry"


@pytest.fixture(scope="session")
def terraform(
    terraform_program: Path, provider_used: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Terraform]:
    """The program with a way to the provider."""
    folder = tmp_path_factory.mktemp("terraform")
    if provider_used == "registry":
        yield Terraform(terraform_program, folder, {"TF_PLUGIN_CACHE_DIR": str(tmp_path_factory.mktemp("plugins"))})
        return
    sockets = tmp_path_factory.mktemp("p")
    with (
        StubProvider(extract_schema.GOOGLE.schema, sockets) as google,
        StubProvider(extract_schema.GOOGLE_BETA.schema, sockets) as beta,
    ):
        yield Terraform(terraform_program, folder, attached(google, beta))


@pytest.fixture(scope="session")
def module(terraform: Terraform) -> Path:
    """A copy of the module, ready for commands."""
    return terraform.initialized(terraform.copied("module"))


@pytest.fixture(scope="session")
def tested(terraform: Terraform, module: Path, tmp_path_factory: pytest.TempPathFactory) -> OwnTests:
    """The module's own tests, run once for all processes of a run."""
    own = tmp_path_factory.getbasetemp()
    folder = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    path = folder / "own-tests.json"
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            whole = sorted({file.name.split(".")[0] for file in (module / "tests").glob("*.hcl")} - {RULES})
            (terraform.test(module, *whole) + terraform.test(terraform.variables("rules"))).keep(path)
    return OwnTests.kept(path)


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Lines:
    """One line for each way that a delivery, a sweep or a heartbeat can end, as it was written."""
    return written_lines(tmp_path_factory)


@pytest.fixture(scope="session")
def told(lines: Lines) -> Iterator[WrittenLines]:
    """The same lines in Cloud Logging."""
    with LoggingServer() as server:
        yield WrittenLines(server, lines)
