"""Everything in a folder of policies that cannot mean what its author meant, each with its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec.structs import replace

from scc_responder.domain.errors import PolicyError
from scc_responder.policy.guardrails import GUARDRAILS_FILE, Guardrails
from scc_responder.policy.policy_set import ROUTES_FILE, SHIPPED_FILE, Policy, policy_paths
from scc_responder.policy.routes import Routes
from scc_responder.workbench.policies.meaning.pattern_mistakes import (
    ODD_CHARACTER,
    cluster_mistakes,
    guardrails_pattern_mistakes,
    label_mistakes,
    match_pattern_mistakes,
    rule_pattern_mistakes,
)
from scc_responder.workbench.policies.meaning.possible_findings import never_exempt
from scc_responder.workbench.policies.meaning.vain_policies import vain_mistakes
from scc_responder.workbench.policy_files.guardrails_file import load_guardrails
from scc_responder.workbench.policy_files.mistakes import Fault, Mistake, refusal
from scc_responder.workbench.policy_files.policy_layout import told_name
from scc_responder.workbench.policy_files.shipped_pack import PACK, ShippedFile, takes_shipped, with_modes
from scc_responder.workbench.policy_files.strict_yaml import open_document
from scc_responder.workbench.policy_files.value_bounds import bound_mistakes, measured, policy_bound_mistakes

_T = TypeVar("_T")


def meaning_faults(folder: Path) -> Iterator[Fault]:
    """What can never hold, or always holds, in the files that can be read at all."""
    known = _rails(folder)
    for path in policy_paths(folder):
        yield from _faults(path, folder, Policy, partial(policy_meaning, rails=known))
    rails = folder / GUARDRAILS_FILE
    if rails.exists():
        yield from _faults(rails, folder, Guardrails, guardrails_meaning)
    if (folder / ROUTES_FILE).exists():
        yield from _faults(folder / ROUTES_FILE, folder, Routes, routes_meaning)
    if takes_shipped(folder):
        yield from _faults(folder / SHIPPED_FILE, folder, ShippedFile, partial(_shipped_meaning, rails=known))


def require_meaning(folder: Path) -> None:
    """Raise PolicyError with everything that `meaning_faults` finds."""
    faults = tuple(meaning_faults(folder))
    if faults:
        raise refusal(faults)


def with_meaning(refused: Iterable[Fault], found: Iterable[Fault]) -> list[Fault]:
    """Both kinds of errors, one for each place: an odd character is the cause of whatever else is said of it."""
    mine = list(found)
    known = list(refused)
    told = set(map(_place, known))
    odd = {_place(fault) for fault in mine if fault.reason == ODD_CHARACTER}
    kept = [fault for fault in known if _place(fault) not in odd]
    return [*kept, *(fault for fault in mine if fault.reason == ODD_CHARACTER or _place(fault) not in told)]


def _place(fault: Fault) -> tuple[str, int, str]:
    return fault.file, fault.line, fault.path


def policy_meaning(policy: Policy, rails: Guardrails | None) -> Iterator[Mistake]:
    """What is wrong with one policy under these guardrails; None where they cannot be read."""
    yield from match_pattern_mistakes(policy.when, ("when",))
    yield from match_pattern_mistakes(policy.unless, ("unless",))
    for index, one in enumerate(policy.modes):
        yield from cluster_mistakes(one.clusters, ("modes", index, "clusters"))
        yield from label_mistakes(one.namespace_labels or {}, ("modes", index, "namespace_labels"))
    yield from policy_bound_mistakes(policy)
    if policy.condition:
        from scc_responder.workbench.policies.meaning.condition_meaning import condition_meaning  # noqa: PLC0415 - only a policy with one needs it

        yield from condition_meaning(policy.condition, ("condition",))
    yield from vain_mistakes(policy, rails)


def guardrails_meaning(rails: Guardrails) -> Iterator[Mistake]:
    """What is wrong with guardrails: names of nothing, values out of bounds, a wait that outlives findings."""
    yield from guardrails_pattern_mistakes(rails)
    for index, exemption in enumerate(rails.exemptions):
        yield from never_exempt(exemption.when, ("exemptions", index, "when"))
    beyond = list(bound_mistakes(rails))
    yield from beyond
    oldest = rails.max_finding_age.irreversible
    with suppress(ValueError):  # a length of time that is none: its reader tells
        if not beyond and measured(rails.warm_up) >= measured(oldest):
            text = (
                f"{rails.warm_up!r}: no finding is acted on by then, which max_finding_age.irreversible, {oldest}, lets"
            )
            yield Mistake(path=("warm_up",), text=f"{text} be as old at most; write a shorter one")


def routes_meaning(routes: Routes) -> Iterator[Mistake]:
    """What is wrong with routes: rules that are about nothing, values out of bounds."""
    yield from bound_mistakes(routes)
    for index, rule in enumerate(routes.rules):
        yield from rule_pattern_mistakes(rule, ("rules", index))


def _shipped_meaning(file: ShippedFile, rails: Guardrails | None) -> Iterator[Mistake]:
    """What is vain about the modes of shipped policies, which mean what they say by themselves."""
    for path in policy_paths(PACK):
        place = ("shipped", "modes", path.stem)
        modes = file.shipped.modes.get(path.stem, ())
        for index, one in enumerate(modes):
            yield from cluster_mistakes(one.of_clusters.clusters, (*place, index, "clusters"))
        if modes:
            policy = with_modes(open_document(path).converted(Policy), modes)
            yield from (replace(mistake, path=place) for mistake in vain_mistakes(policy, rails))


def _rails(folder: Path) -> Guardrails | None:
    try:
        return load_guardrails(folder)
    except PolicyError:
        return None


def _faults(path: Path, folder: Path, wanted: type[_T], check: Callable[[_T], Iterable[Mistake]]) -> tuple[Fault, ...]:
    """Also of what is right in a file that does not load; what keeps it from loading is among them."""
    try:
        open_document(path, told_name(path, folder)).converted(wanted, check)
    except PolicyError as error:
        return error.faults
    return ()
