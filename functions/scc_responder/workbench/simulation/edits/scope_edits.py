"""What an edit of the folders' `scope.yaml` changes, and whether policies there may be made to go further by it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from scc_responder.policy.policy_set import policy_paths
from scc_responder.workbench.policy_files.pattern_words import all_within
from scc_responder.workbench.policy_files.policy_scope import PolicyScope, load_scopes
from scc_responder.workbench.simulation.edits.edit import Edit, field_edit, mode_edit, shown_value


def scope_edits(former: Path, now: Path) -> tuple[Edit, ...]:
    """Every scope that differs between two folders of policies, and every policy that moved to where it has another."""
    before, after = _scopes(former), _scopes(now)
    return (*_of_scopes(before, after, now), *_moved(former, now, before, after))


def _scopes(folder: Path) -> dict[str, PolicyScope]:
    """The scopes of a folder that was loaded, by where they stand."""
    return {
        path.relative_to(folder).as_posix(): scope for path, scope in load_scopes(folder).items() if scope is not None
    }


def _of_scopes(before: Mapping[str, PolicyScope], after: Mapping[str, PolicyScope], now: Path) -> Iterator[Edit]:
    for place in sorted(before.keys() | after.keys()):
        was, scope = before.get(place), after.get(place)
        if was and scope:
            yield from _edited(place, was, scope)
        elif scope:
            yield Edit(field=f"{place}/scope.yaml", after=shown_value(scope), widens=False)
        else:
            held = any((now / place) in path.parents for path in policy_paths(now))
            yield Edit(field=f"{place}/scope.yaml", before=shown_value(was), widens=held)


def _edited(place: str, was: PolicyScope, scope: PolicyScope) -> Iterator[Edit]:
    yield from mode_edit(f"{place}/scope.yaml max_mode", was.max_mode, scope.max_mode)
    for name in ("clusters", "namespaces", "actions"):
        before, after = getattr(was, name), getattr(scope, name)
        narrower = not before or (bool(after) and all_within(after, before))
        yield from field_edit(f"{place}/scope.yaml {name}", before, after, widens=not narrower)


def _moved(
    former: Path, now: Path, before: Mapping[str, PolicyScope], after: Mapping[str, PolicyScope]
) -> Iterator[Edit]:
    """Policies that stand elsewhere: it widens where something bounded them that does not any more."""
    stood = {path.stem: path.relative_to(former) for path in policy_paths(former)}
    stands = {path.stem: path.relative_to(now) for path in policy_paths(now)}
    for name in sorted(stood.keys() & stands.keys()):
        old, new = stood[name], stands[name]
        if old.parent != new.parent:
            widens = any(bound not in _bounds(new, after) for bound in _bounds(old, before))
            yield Edit(field=f"folder of {name}", before=str(old.parent), after=str(new.parent), widens=widens)


def _bounds(path: Path, scopes: Mapping[str, PolicyScope]) -> list[PolicyScope]:
    return [scopes[parent.as_posix()] for parent in path.parents if parent.as_posix() in scopes]
