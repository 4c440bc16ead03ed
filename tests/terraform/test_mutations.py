"""Each line on which safety hangs, changed on purpose, is noticed: by the module's own tests, or by the promises."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.counts import Cases
from tests.terraform.checking import MODULE, OwnTests, Terraform
from tests.terraform.mutations import MUTATIONS, Mutation
from tests.terraform.promises import PROMISES
from tests.terraform.test_promises import ADJUSTED, RUNS, STILL

QUICK = (("privilege",), ("bounds", "validation"), ("checks",))
"""What is run for most mutations takes Terraform half a minute."""
FEW = [next(one for one in MUTATIONS if one.tests == files) for files in QUICK]
TRIED = Cases("mutations of the Terraform module", FEW, MUTATIONS)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda one: one.name)
def test_each_mutated_line_still_exists(mutation: Mutation) -> None:
    """The line is still in the module: a table that fell behind would prove nothing."""
    assert mutation.right in (MODULE / mutation.file).read_text()
    assert mutation.right != mutation.wrong


@pytest.mark.parametrize("mutation", TRIED.chosen, ids=lambda one: one.name)
def test_each_mutation_is_noticed(terraform: Terraform, mutation: Mutation) -> None:
    """Terraform takes the change as valid, and it is noticed all the same."""
    folder = terraform.initialized(mutated(terraform, mutation))
    assert terraform.run(folder, "validate").returncode == 0

    assert noticed(terraform.test(folder, *mutation.tests)) != []


def mutated(terraform: Terraform, mutation: Mutation) -> Path:
    """A copy of the module with the change."""
    folder = terraform.copied(f"mutated-{mutation.name.replace(' ', '-')}")
    path = folder / mutation.file
    path.write_text(path.read_text().replace(mutation.right, mutation.wrong, 1))
    return folder


def noticed(tested: OwnTests) -> list[str]:
    """What noticed a change: the runs that failed, and the promises that do not hold."""
    found = [run for run, end in tested.runs.items() if end in {"fail", "error"}]
    states = tested.states()
    asked = [*((name, run) for name in PROMISES for run in RUNS), *((name, run) for name in STILL for run in ADJUSTED)]
    return found + [name for name, run in asked if run in states and not holds(name, tested, run)]


def holds(name: str, tested: OwnTests, run: str) -> bool:
    """Whether a promise holds after a run."""
    try:
        PROMISES[name](tested.states()[run])
    except (AssertionError, LookupError, StopIteration, ValueError):
        return False
    return True
