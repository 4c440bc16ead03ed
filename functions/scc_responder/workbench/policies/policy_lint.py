"""Errors in a folder of policies, and warnings about what is allowed but probably unintended."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from scc_responder.actions import Action, actions
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.value import Value
from scc_responder.execute.dependencies import ends_for_good
from scc_responder.policy.guardrails import GUARDRAILS_FILE, Guardrails
from scc_responder.policy.policy_set import (
    ROUTES_FILE,
    SHIPPED_FILE,
    TEST_SUFFIX,
    Policy,
    PolicySet,
    PolicyStep,
    policy_paths,
)
from scc_responder.workbench.policies.cases.case_file import CaseFile, GuardrailsCaseFile, open_cases
from scc_responder.workbench.policies.cases.case_mistakes import case_faults
from scc_responder.workbench.policies.cases.case_situation import USUAL_FINDINGS
from scc_responder.workbench.policies.meaning.accepted_warnings import not_accepted
from scc_responder.workbench.policies.meaning.image_depth import shallow_patterns
from scc_responder.workbench.policies.meaning.meaning import meaning_faults, with_meaning
from scc_responder.workbench.policies.meaning.possible_findings import never_excepts, unknown_category
from scc_responder.workbench.policies.meaning.tenant_choices import (
    chosen_by_tenants,
    protected_by_tenants,
    raised_by_tenants,
)
from scc_responder.workbench.policies.policy_fights import fights
from scc_responder.workbench.policy_files.mistakes import Fault, Mistake
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.policy_layout import GUARDRAILS_TESTS, case_paths, told_name, unread_warnings
from scc_responder.workbench.policy_files.strict_yaml import Document, open_document

SOON = timedelta(days=14)
SCHEMA_LINE = "# yaml-language-server: $schema=./.schema/{kind}.json"
"""What line 1 of a file says, by its kind, for editors to complete and check it."""

_SCHEMA = re.compile(r"#\s*yaml-language-server:\s*\$schema=\S+", re.ASCII)


class Linted(Value, frozen=True, kw_only=True):
    """Errors keep the folder from loading, warnings do not. Both are in the order of files and lines."""

    policies: int
    errors: tuple[Fault, ...]
    warnings: tuple[Fault, ...]


def lint(folder: Path, today: date, findings: Path = USUAL_FINDINGS) -> Linted:
    """Everything that is wrong with a folder, whose cases name findings of another. Raises PolicyError without it."""
    loaded: list[PolicySet] = []
    errors = list(_refused(lambda: loaded.append(load_policies(folder)), expect_folder=True))
    policies = policy_paths(folder)
    for one in loaded:
        errors += _fights(one.policies, policies, folder)
    tests = case_paths(folder)
    names = {path.stem for path in policies}
    for path in tests:
        errors += _case_errors(path, folder, findings, names)
    errors = with_meaning(errors, meaning_faults(folder))
    warnings = [warning for path in policies for warning in _policy_warnings(path, folder, today)]
    warnings += [warning for path in tests for warning in _test_warnings(path, folder)]
    warnings += unread_warnings(folder)
    warnings += _guardrails_warnings(folder / GUARDRAILS_FILE, today)
    for name, kind in ((ROUTES_FILE, "routes"), (SHIPPED_FILE, "shipped")):
        warnings += _schema_warnings(folder / name, kind)
    return Linted(policies=len(policies), errors=_in_order(errors), warnings=_in_order(warnings))


def _in_order(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(faults, key=lambda fault: (fault.file, fault.line)))


def _refused(read: Callable[[], object], *, expect_folder: bool = False) -> tuple[Fault, ...]:
    try:
        read()
    except PolicyError as error:
        if expect_folder and error.reason == "no_policy_folder":
            raise
        return error.faults or (Fault(file="", text=str(error), reason=error.reason),)
    return ()


def _fights(policies: Sequence[Policy], paths: Sequence[Path], folder: Path) -> Iterator[Fault]:
    """Policies between which nothing but their names would decide."""
    own = {path.stem: path for path in paths}
    for fight in fights(policies):
        names = [name for name in (fight.policy, fight.other) if name in own]
        place = own[names[0]] if names else folder / SHIPPED_FILE
        other = fight.other if names[:1] == [fight.policy] else fight.policy
        file = told_name(own[other], folder) if other in own else f"the shipped policy {other}"
        text = (
            f"{file} asks for another {fight.what} in the same mode, and may match the same finding; agree on one, "
            f"or except in unless what the other names"
        )
        step = ("then", fight.step) if names[:1] == [fight.policy] else ("then",) if names else ("shipped", "modes")
        mistake = Mistake(path=step, text=text, reason="policies_fight")
        yield open_document(place, told_name(place, folder)).fault(mistake)


def _case_errors(path: Path, folder: Path, findings: Path, names: Container[str]) -> tuple[Fault, ...]:
    wanted = GuardrailsCaseFile if path.name == GUARDRAILS_TESTS else CaseFile
    try:
        return tuple(case_faults(open_cases(path, told_name(path, folder), wanted), findings, names))
    except PolicyError as error:
        return error.faults or (Fault(file=told_name(path, folder), text=str(error), reason=error.reason),)


def _policy_warnings(path: Path, folder: Path, today: date) -> Iterator[Fault]:
    """Of a file that can be read at all."""
    try:
        document = open_document(path, told_name(path, folder))
        file = document.converted(Policy)
    except PolicyError:
        return
    yield from map(document.fault, not_accepted(_seldom_meant(document, path, file), file.accepted, today))


def _seldom_meant(document: Document, path: Path, file: Policy) -> Iterator[Mistake]:
    yield from _schema(document, "policy")
    test = path.with_name(f"{path.stem}{TEST_SUFFIX}")
    if not test.exists():
        yield Mistake(
            text=f"no {test.name} stands beside it; give it a case that acts and one that does not", reason="no_test"
        )
    yield from unknown_category(file.when)
    yield from never_excepts(file.when, file.unless)
    yield from chosen_by_tenants(file.unless, ("unless",))
    yield from raised_by_tenants(file)
    yield from shallow_patterns(file.when, ("when",))
    yield from shallow_patterns(file.unless, ("unless",))
    yield from _no_chain_any_more(document, file)
    seen: set[str] = set()
    for index, step in enumerate(file.then):
        known = actions().get(step.action)
        if known and known.ends_pod and "capture_evidence" not in seen:
            text = "the pod is deleted before its evidence is kept; put capture_evidence before it"
            yield Mistake(path=("then", index, "action"), text=text, reason="no_evidence")
        seen.add(step.action)


def _no_chain_any_more(document: Document, file: Policy) -> Iterator[Mistake]:
    """Steps whose failure kept a later disruption from being done in version 0.1.0, and does not any more.

    Named where nobody wrote which is meant. A mark that fails is never a reason not to act.
    """
    known = actions()
    for index, step in enumerate(file.then):
        before, later = known.get(step.action), file.then[index + 1 :]
        if before is None or "on_failure" in document.data["then"][index]:
            continue
        goes_on = next((item.action for item in later if _runs_anyway(before, item)), "")
        if goes_on and (before.disrupts or (before.observes and not before.tells)):
            text = (
                f"{goes_on} is done even if {step.action} fails; write on_failure: stop or on_failure: continue here, "
                f"or needs: [{step.action}] there"
            )
            yield Mistake(path=("then", index, "action"), text=text, reason="no_chain")


def _runs_anyway(before: Action, later: PolicyStep) -> bool:
    """Whether a later step disrupts something, and needs the one before neither by its name nor by its nature."""
    known = actions().get(later.action)
    if known is None or not known.disrupts or before.name in later.needs:
        return False
    return not (before.observes and ends_for_good(known))


def _schema(document: Document, kind: str) -> Iterator[Mistake]:
    if not _SCHEMA.match(document.text):
        up = "../" * document.name.count("/") or "./"
        line = SCHEMA_LINE.format(kind=kind).replace("./", up, 1)
        text = f"no schema in line 1; for help while typing write {line}"
        yield Mistake(text=text, reason="no_schema")


def _test_warnings(path: Path, folder: Path) -> Iterator[Fault]:
    name, told = f"{path.name.removesuffix(TEST_SUFFIX)}.yaml", told_name(path, folder)
    if not path.with_name(name).exists():
        yield Fault(file=told, text=f"there is no {name} that it could test", reason="no_policy")
    try:
        document = open_document(path, told)
    except PolicyError:
        return
    kind = "guardrails-test" if path.name == GUARDRAILS_TESTS else "test"
    yield from map(document.fault, _schema(document, kind))


def _guardrails_warnings(path: Path, today: date) -> Iterator[Fault]:
    if not path.exists():
        yield Fault(file=path.name, text="there is none, so that nothing is enforced", reason="no_guardrails")
        return
    if not path.read_bytes().strip():
        text = "it is empty, so that nothing is enforced and every namespace is protected; write what is, or restore it"
        yield Fault(file=path.name, text=text, reason="no_guardrails")
        return
    try:
        document = open_document(path)
        guardrails = document.converted(Guardrails)
    except PolicyError:
        return
    found = (
        *_schema(document, "guardrails"),
        *protected_by_tenants(guardrails),
        *_exemptions(guardrails, today),
        *_limits_off(guardrails),
    )
    yield from map(document.fault, not_accepted(found, guardrails.accepted, today))


def _schema_warnings(path: Path, kind: str) -> Iterator[Fault]:
    if path.exists():
        try:
            document = open_document(path)
        except PolicyError:
            return
        yield from map(document.fault, _schema(document, kind))


def _exemptions(guardrails: Guardrails, today: date) -> Iterator[Mistake]:
    for index, exemption in enumerate(guardrails.exemptions):
        yield from unknown_category(exemption.when, ("exemptions", index, "when"))
        yield from chosen_by_tenants(exemption.when, ("exemptions", index, "when"))
        yield from shallow_patterns(exemption.when, ("exemptions", index, "when"))
        try:
            left = exemption.ends - datetime.combine(today, time(), UTC)
        except ValueError:  # no moment at all: an error, which its reader tells
            continue
        if left <= timedelta(0):
            text, reason = "it no longer holds; remove it", "exemption_expired"
        elif left <= SOON + timedelta(days=1):
            text, reason = f"it ends within {SOON.days} days; ask {exemption.owner}", "exemption_expires"
        else:
            continue
        path = ("exemptions", index, "expires")
        yield Mistake(path=path, text=f"{exemption.name!r} expires on {exemption.expires}: {text}", reason=reason)


def _limits_off(guardrails: Guardrails) -> Iterator[Mistake]:
    for scope in guardrails.limits.__struct_fields__:
        if not getattr(guardrails.limits, scope):
            text = "no limit holds here; remove the line to have the default"
            yield Mistake(path=("limits", scope), text=text, reason="limit_off")
