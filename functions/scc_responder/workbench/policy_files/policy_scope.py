"""`scope.yaml`: how far the policies of a subfolder, and of all folders below it, may go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from scc_responder.actions import actions
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode, capped
from scc_responder.domain.value import StrictValue
from scc_responder.policy.match import as_tuple
from scc_responder.policy.policy_set import SCOPE_FILE, Policy
from scc_responder.workbench.policy_files.mistakes import Mistake, expected
from scc_responder.workbench.policy_files.pattern_words import all_within
from scc_responder.workbench.policy_files.rule_mistakes import spread
from scc_responder.workbench.policy_files.strict_yaml import read_document


class PolicyScope(StrictValue, frozen=True, kw_only=True):
    """What the policies of a folder may reach. Where a list is left out, it bounds nothing.

    `clusters` are `projects/P/locations/L/clusters/C`, and `namespaces` their names: the `when` of every policy must
    name some of these alone. `actions` are those that it may ask for, besides what changes nothing on the target.
    `max_mode` is the furthest that its mode may be. All scopes hold on the way from the top to a policy.
    """

    max_mode: Mode
    clusters: tuple[str, ...] | None = None
    namespaces: tuple[str, ...] | None = None
    actions: tuple[str, ...] | None = None


Scopes = Mapping[Path, PolicyScope | None]
"""The scope of each folder that has one; None where its file cannot be used."""

_BOUNDS = {"clusters": "cluster", "namespaces": "namespace"}
"""Which condition of `when` each list of a scope bounds."""


def load_scopes(folder: Path) -> Scopes:
    """The scopes of all subfolders. `scope_errors` tells why one cannot be used."""
    found: dict[Path, PolicyScope | None] = {}
    for path in _scope_paths(folder):
        try:
            found[path.parent] = _read(path, folder)
        except PolicyError:
            found[path.parent] = None
    return found


def scope_errors(folder: Path) -> Iterator[PolicyError]:
    """Why scopes cannot be used."""
    for path in _scope_paths(folder):
        try:
            _read(path, folder)
        except PolicyError as error:
            yield error


def _scope_paths(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob(SCOPE_FILE) if path.parent != folder)
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _read(path: Path, folder: Path) -> PolicyScope:
    return read_document(path, PolicyScope, _mistakes, path.relative_to(folder).as_posix())


def _mistakes(scope: PolicyScope) -> Iterator[Mistake]:
    for field in ("clusters", "namespaces", "actions"):
        if getattr(scope, field) == ():
            text = "empty, so that it would bound nothing; write what its policies may have, or remove the word"
            yield Mistake(path=(field,), text=text)
    for index, name in enumerate(scope.actions or ()):
        if name not in actions():
            text = f"unknown action {name!r}; {expected(name, actions())}"
            yield Mistake(path=("actions", index), text=text, reason="unknown_action")
    for index, pattern in enumerate(scope.clusters or ()):
        if not any(len(parts) == 6 for parts in spread(pattern, 6)):
            text = f"{pattern!r} can never match; write projects/P/locations/L/clusters/C; * stands for one part of it"
            yield Mistake(path=("clusters", index), text=text)
    for index, pattern in enumerate(scope.namespaces or ()):
        if "/" in pattern or pattern != pattern.lower():
            text = f"{pattern!r} can never match; a namespace is lower-case letters, digits and '-', such as shop"
            yield Mistake(path=("namespaces", index), text=text)


def beyond_scope(policy: Policy, scope: PolicyScope, named: str) -> Iterator[Mistake]:
    """Where a policy may go further than the scope, whose file is `named`, lets it."""
    if capped(policy.furthest, scope.max_mode) != policy.furthest:
        text = f"{policy.furthest} goes further than {named} lets its policies: at most {scope.max_mode}"
        yield Mistake(path=("mode",), text=text, reason="beyond_scope")
    for field, condition in _BOUNDS.items():
        bounds: tuple[str, ...] = getattr(scope, field) or ()
        if bounds:
            yield from _beyond(condition, as_tuple(policy.when.given().get(condition, ())), bounds, named)
    known = actions()
    for index, step in enumerate(policy.then):
        changes = step.action in known and not known[step.action].observes
        if scope.actions and changes and step.action not in scope.actions:
            text = f"{step.action} is no action that {named} lets its policies ask for: {', '.join(scope.actions)}"
            yield Mistake(path=("then", index, "action"), text=text, reason="beyond_scope")


def _beyond(condition: str, given: tuple[str, ...], bounds: tuple[str, ...], named: str) -> Iterator[Mistake]:
    may = f"{named} lets its policies reach {' or '.join(bounds)} alone"
    if not given:
        yield Mistake(path=("when",), text=f"{condition} is missing: {may}; write it", reason="beyond_scope")
    for pattern in given:
        if not all_within([pattern], bounds):
            text = f"{pattern!r} reaches further: {may}"
            yield Mistake(path=("when", condition), text=text, reason="beyond_scope")
