"""Which process of a run has which tests: a file stays whole but for a few, and those that wait longest begin first.

Fixtures of a file (a role that is installed, a function that is served) and of the rehearsal (its stage) are
then made once in a run. There are more processes than processors, since many tests wait.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

WHOLE = ("tests/rehearsal/",)
"""Folders that are not divided among processes: what a file sets up, others use."""

DIVIDED = ("tests/adapters/google/firestore/test_firestore_faults.py",)
"""Files whose tests may go to several processes: together they wait for longer than all else that runs beside them."""

EMULATED = (
    "tests/cli/doctor/",
    "tests/adapters/google/firestore/test_firestore_journal.py",
    "tests/adapters/google/firestore/test_firestore_store.py",
    "tests/adapters/google/pubsub/",
    "tests/adapters/notifiers/test_outcome_topic.py",
    "tests/cli/case/test_cli_case.py",
    "tests/cli/test_cli_control.py",
    "tests/cli/test_redrive.py",
    "tests/kits/google/test_emulator.py",
    "tests/pipeline/test_firestore.py",
)
"""What asks for Google's emulators goes to one process, since each costs a processor ten seconds to start."""

LONGEST = (
    *WHOLE,
    "tests/node/test_said_and_true.py",
    "tests/node/test_attackers.py",
    "tests/node/",
    "tests/e2e/test_served_crash.py",
    "tests/e2e/test_served_attack.py",
    "tests/e2e/test_served_blast_radius.py",
    "tests/e2e/test_served_special_pods.py",
    "tests/e2e/test_request_answered_badly.py",
    "tests/adapters/google/firestore/test_firestore_faults.py",
    "tests/cli/doctor/test_broken.py",
    "tests/pipeline/test_firestore.py",
    "tests/terraform/test_mutations.py",
    "tests/workbench/proof/",
    "tests/domain/kubernetes/test_cluster_session.py",
    "tests/docs/test_recipes.py",
    "tests/docs/test_changed_clone.py",
    "tests/fuzz/test_random.py",
    "tests/adapters/google/firestore/test_firestore_journal.py",
    "tests/bench/",
    "tests/execute/",
    "tests/pipeline/",
    "tests/terraform/",
    "tests/cli/",
    "tests/adapters/",
    "tests/entrypoint/console/",
    "tests/workbench/simulation/",
    "tests/kits/google/",
    "tests/guard/test_kill_switch.py",
)
"""Where what waits or works longest is; all other files come after these."""


def unit(test: str) -> str:
    """What is not divided: the file of a test, its folder, what shares emulators, or a test with all its parameters."""
    if test.startswith(EMULATED):
        return "emulated"
    whole = next((folder for folder in WHOLE if test.startswith(folder)), test.partition("::")[0])
    return test.partition("[")[0] if whole in DIVIDED else whole


def place(test: str) -> int:
    """The place of a test in the order of the run."""
    return next((number for number, start in enumerate(LONGEST) if test.startswith(start)), len(LONGEST))


class Schedule(LoadScopeScheduling):
    """The scheduler of pytest-xdist that hands out one unit after another, in the order of the run."""

    def __init__(self, config: pytest.Config, log: object = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return unit(nodeid)
