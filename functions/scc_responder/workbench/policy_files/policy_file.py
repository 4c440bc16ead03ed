"""Read a folder of policies, all of them or none, and say all that is wrong beyond its types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from scc_responder import __version__
from scc_responder.actions import actions
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import capped
from scc_responder.policy.compiled import CompiledPolicies
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.match import as_tuple
from scc_responder.policy.policy_set import SCOPE_FILE, Policy, PolicySet, PolicyStep, policy_paths, sources_digest
from scc_responder.policy.routes import Routes
from scc_responder.workbench.policy_files.guardrails_file import load_guardrails
from scc_responder.workbench.policy_files.hours_mistakes import policy_hours_mistakes
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Fault, Mistake, expected, refusal
from scc_responder.workbench.policy_files.policy_layout import layout_faults, told_name
from scc_responder.workbench.policy_files.policy_scope import Scopes, beyond_scope, load_scopes, scope_errors
from scc_responder.workbench.policy_files.routes_file import load_routes, unknown_routes
from scc_responder.workbench.policy_files.rule_mistakes import (
    limit_mistakes,
    match_mistakes,
    parameter_mistakes,
    share_mistakes,
)
from scc_responder.workbench.policy_files.shipped_pack import (
    INSTALLED,
    OTHER_VERSION,
    Pack,
    name_clashes,
    pack_to_compare_with,
    policy_sources,
    read_shipped,
    takes_shipped,
    wheel_beside,
    with_modes,
)
from scc_responder.workbench.policy_files.strict_yaml import read_document

_T = TypeVar("_T")


def load_policies(folder: Path, pack: Pack = INSTALLED) -> PolicySet:
    """Every policy of the folder: all of them or none. Raises PolicyError with the mistakes of all files."""
    rails, policies, routes = _read_files(folder, pack)
    digest = sources_digest(policy_sources(folder, pack))
    return PolicySet(policies=policies, guardrails=rails, digest=digest, routes=routes)


def load_former(folder: Path) -> PolicySet:
    """The policies to compare with, which may take the pack of another version, as before an upgrade.

    Raises PolicyError that says which folder it is about.
    """
    try:
        with pack_to_compare_with(folder) as pack:
            return load_policies(folder, pack)
    except PolicyError as error:
        is_other = any(fault.reason == OTHER_VERSION for fault in error.faults)
        told = f"\nto compare with it, keep its wheel in {wheel_beside(folder, '').parent}" if is_other else ""
        raise PolicyError(error.reason, f"--against {folder}:\n{error}{told}", faults=error.faults) from error


def compile_policies(folder: Path) -> bytes:
    """The folder's compiled form: the same sources make the same bytes. Raises PolicyError."""
    rails, policies, routes = _read_files(folder, INSTALLED)
    return msgspec.json.encode(
        CompiledPolicies(
            digest=sources_digest(policy_sources(folder)),
            version=__version__,
            guardrails=rails,
            policies=policies,
            routes=msgspec.Raw(msgspec.json.encode(routes)),
        )
    )


def _read_files(folder: Path, pack: Pack) -> tuple[Guardrails, tuple[Policy, ...], Routes | None]:
    if not folder.is_dir():
        raise PolicyError("no_policy_folder", f"{folder}: there is no such folder; name one with --policies")
    faults = [*layout_faults(folder), *(fault for error in scope_errors(folder) for fault in error.faults)]
    rails = _collected(faults, partial(load_guardrails, folder))
    scopes, routes = load_scopes(folder), _collected(faults, partial(load_routes, folder))
    own = partial(_read_policy, folder=folder, rails=rails, scopes=scopes, routes=routes)
    read = [_collected(faults, partial(own, path)) for path in policy_paths(folder)]
    shipped = _shipped(faults, folder, rails, pack) if takes_shipped(folder) else ()
    if faults or rails is None:
        raise refusal(faults)
    # As the names of their files are listed, wherever they come from.
    policies = sorted((file for file in (*read, *shipped) if file), key=lambda file: f"{file.name}.yaml")
    return rails, tuple(policies), routes


def _shipped(faults: list[Fault], folder: Path, rails: Guardrails | None, pack: Pack) -> list[Policy]:
    """The shipped policies, as far as the folder lets them go."""
    faults += name_clashes(folder, pack)
    said = _collected(faults, partial(read_shipped, folder, pack))
    modes = said.shipped.modes if said else {}
    own = pack.folder
    read = (_collected(faults, partial(_read_policy, path, own, rails, {})) for path in policy_paths(own))
    return [with_modes(policy, modes.get(policy.name, ())) for policy in read if policy]


def _collected(faults: list[Fault], read: Callable[[], _T]) -> _T | None:
    """What `read` returns; if it raises PolicyError, None, and its faults are added to `faults`."""
    try:
        return read()
    except PolicyError as error:
        faults += error.faults or [Fault(file="", text=str(error), reason=error.reason)]
        return None


def _read_policy(
    path: Path, folder: Path, rails: Guardrails | None, scopes: Scopes, routes: Routes | None = None
) -> Policy:
    def check(policy: Policy) -> Iterator[Mistake]:
        yield from policy_mistakes(policy, path.stem, rails)
        yield from unknown_routes(policy.then, routes)
        for parent in path.parents:
            scope = scopes.get(parent)
            if scope:
                yield from beyond_scope(policy, scope, told_name(parent / SCOPE_FILE, folder))

    return read_document(path, Policy, check, told_name(path, folder))


def policy_mistakes(file: Policy, own_name: str, rails: Guardrails | None) -> Iterator[Mistake]:
    """Every mistake of a policy whose file is `own_name`.yaml, under these guardrails; None if they cannot be read."""
    if file.name != own_name:
        yield Mistake(path=("name",), text=f"{file.name!r} must be the file's own name, {own_name!r}")
    for field in ("description", "owner"):
        if not getattr(file, field).strip():
            yield Mistake(path=(field,), text=f"empty; {_SAY[field]}")
    if not file.when.given():
        yield Mistake(path=("when",), text='at least one condition is needed; for every threat write threat: "*"')
    yield from match_mistakes(file.when, ("when",))
    yield from match_mistakes(file.unless, ("unless",))
    yield from _condition(file.condition)
    if not file.then:
        yield Mistake(path=("then",), text=f"at least one action is needed, one of {', '.join(actions())}")
    yield from _steps(file.then, rails)
    for index, limit in enumerate(file.limits):
        yield from limit_mistakes(limit, ("limits", index))
    for index, one in enumerate(file.modes):
        if not one.clusters:
            yield Mistake(path=("modes", index), text="it names no cluster; what holds in all others is mode")
        yield from _raising(file, index)
        if one.share is not None:
            yield from share_mistakes(one.share, ("modes", index, "share"))
    yield from policy_hours_mistakes(file)


def _raising(file: Policy, index: int) -> Iterator[Mistake]:
    """What a mode by labels of the namespace lacks: a key, a value, or to go further than what holds without it."""
    one, place = file.modes[index], ("modes", index, "namespace_labels")
    if one.namespace_labels is None:
        return
    if not one.namespace_labels:
        yield Mistake(path=place, text="empty; write a key and its value, or remove it")
    for key, texts in one.namespace_labels.items():
        if not texts or "" in as_tuple(texts):
            yield Mistake(path=(*place, key), text="empty, so that it never holds; write a value")
    least = capped(file.mode, *(other.mode for other in file.modes if other.namespace_labels is None))
    if capped(one.mode, least) == one.mode:
        text = f"a label may raise a mode, never lower it: {one.mode} is no further than {least}; write a further one"
        yield Mistake(path=("modes", index, "mode"), text=text)


def _condition(expression: str) -> Iterator[Mistake]:
    if not expression:
        return
    from scc_responder.workbench.policy_files.cel_mistakes import condition_mistakes  # noqa: PLC0415 - only a policy with one needs it

    yield from condition_mistakes(expression, ("condition",))


_SAY = {"description": "say what the policy is for", "owner": "say who answers for it, such as secops@example.com"}


def _steps(steps: tuple[PolicyStep, ...], rails: Guardrails | None) -> Iterator[Mistake]:
    seen: dict[tuple[str, bytes], int] = {}
    for index, step in enumerate(steps):
        path: DocumentPath = ("then", index)
        if step.action not in actions():
            text = f"unknown action {step.action!r}; {expected(step.action, actions())}"
            yield Mistake(path=(*path, "action"), text=text, reason="unknown_action")
            continue
        mistakes = list(_parameters(step, (*path, "with"), rails))
        yield from mistakes
        yield from _unmet(step, [other.action for other in steps[:index]], (*path, "needs"))
        if not mistakes:
            asked = (step.action, msgspec.json.encode(step.params, order="sorted"))
            if asked in seen:
                text = f"{step.action} with the same parameters is then[{seen[asked]}] already; remove one"
                yield Mistake(path=path, text=text)
            seen.setdefault(asked, index)


def _parameters(step: PolicyStep, path: DocumentPath, rails: Guardrails | None) -> Iterator[Mistake]:
    try:
        params = step.params
    except msgspec.ValidationError as error:
        from scc_responder.workbench.policy_files.type_mistakes import diagnose  # noqa: PLC0415 - only a mistake needs it

        found = list(diagnose(step.parameters, actions()[step.action].params)) or [Mistake(text=str(error))]
        yield from (msgspec.structs.replace(mistake, path=(*path, *mistake.path)) for mistake in found)
    else:
        yield from parameter_mistakes(params, rails.allowed_keys, path) if rails else ()


def _unmet(step: PolicyStep, earlier: list[str], path: DocumentPath) -> Iterator[Mistake]:
    """Actions that a step `needs` must come before it, or it could never run."""
    for index, needed in enumerate(step.needs):
        if needed not in earlier:
            found = f"; {expected(needed, earlier)}" if earlier else ", and this step is the first"
            text = f"{needed!r} must be an action of an earlier step{found}"
            yield Mistake(path=(*path, index), text=text)
