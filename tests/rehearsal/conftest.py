"""One stage for each process of a run, and what Terraform rendered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.cluster.control_plane import running
from tests.kits.google.emulator import Emulator
from tests.kits.google.firestore import FirestoreEmulator
from tests.rehearsal.lessened import Lessened
from tests.rehearsal.rendered import Rendered
from tests.rehearsal.run_stage import APPROVER, RunStage, ServedRun
from tests.rehearsal.stage import Served, Stage
from tests.rehearsal.zipped import answerable, raised
from tests.requirements import missing
from tests.terraform.checking import OwnTests
from tests.terraform.conftest import module, provider_used, terraform, terraform_program, tested

__all__ = ["module", "provider_used", "terraform", "terraform_program", "tested"]


@pytest.fixture(scope="session")
def rendered(tested: OwnTests) -> Rendered:
    """A deployment for an organisation."""
    assert tested.passed, tested.told
    return Rendered(tested.states()["scopes/organization"])


@pytest.fixture(scope="package")
def stage(
    rendered: Rendered, emulator: Emulator, firestore: FirestoreEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """All parts, with a cluster of their own: the shipped policies match one identity in the whole of it."""
    try:
        programs = binaries.programs()
    except binaries.BinariesUnavailable as error:
        missing("the test cluster", error.reason, error.remedy)
    with (
        running(programs) as plane,
        Stage(rendered, plane, emulator, firestore, tmp_path_factory.mktemp("stage")) as made,
    ):
        yield made


@pytest.fixture(scope="session")
def enforcing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function's folder, with every policy of the pack raised to `enforce`."""
    return raised(tmp_path_factory.mktemp("enforcing"))


@pytest.fixture(scope="module")
def deployed(stage: Stage, enforcing: Path) -> Iterator[Served]:
    """The function, served for all tests of a module."""
    with stage.served(enforcing) as served:
        yield served


@pytest.fixture
def served(deployed: Served) -> Iterator[Served]:
    """The function with empty queues, an empty journal, and all grants."""
    deployed.start_over()
    yield deployed
    deployed.stage.grant()


@pytest.fixture
def lessened(stage: Stage) -> Iterator[Lessened]:
    """Takes verbs out of the shipped roles for one test."""
    made = Lessened(stage)
    yield made
    made.put_back()


@pytest.fixture(scope="package")
def run_stage(
    tested: OwnTests, emulator: Emulator, firestore: FirestoreEmulator, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunStage]:
    """All parts of a rehearsal of Cloud Run."""
    assert tested.passed, tested.told
    rendered = Rendered(tested.states()["delivery/cloud_run"])
    with RunStage(rendered, emulator, firestore, tmp_path_factory.mktemp("run-stage")) as made:
        yield made


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The function's folder, with the pack as it is shipped, of which a person may approve what it proposes."""
    return answerable(tmp_path_factory.mktemp("answering"), APPROVER)


@pytest.fixture(scope="module")
def deployed_run(run_stage: RunStage, answering: Path) -> Iterator[ServedRun]:
    """The function, served for all tests of a module: its topics have the names that the other one's have."""
    with run_stage.served(answering) as served:
        yield served


@pytest.fixture
def served_run(deployed_run: ServedRun) -> Iterator[ServedRun]:
    """The function with empty queues, an empty journal, and all grants."""
    deployed_run.start_over()
    yield deployed_run
    deployed_run.stage.grant()
