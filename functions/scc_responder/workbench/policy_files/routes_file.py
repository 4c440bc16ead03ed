"""Read `routes.yaml`, and refuse what would tell nobody: names of no route, and addresses that stand there in clear."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from scc_responder.policy.match import as_tuple
from scc_responder.policy.policy_set import ROUTES_FILE, PolicyStep
from scc_responder.policy.routes import ReceiverKind, RouteRule, Routes
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, expected
from scc_responder.workbench.policy_files.rule_mistakes import may_be_cluster
from scc_responder.workbench.policy_files.strict_yaml import read_document

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,255}", re.ASCII)
_PROJECT = re.compile(r"projects/[a-z0-9*?][a-z0-9.:*?-]*", re.ASCII)
_DOMAIN = re.compile(r"(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]", re.ASCII)
_NAMESPACE = re.compile(r"[a-z0-9*?-]{1,63}", re.ASCII)


def load_routes(folder: Path) -> Routes | None:
    """The folder's routes; None where it has none, as in the file that `init` writes. Raises PolicyError."""
    path = folder / ROUTES_FILE
    found = read_document(path, Routes, route_mistakes) if path.exists() else None
    return found if found and found.routes else None


def route_mistakes(routes: Routes) -> Iterator[Mistake]:
    """Every mistake in routes: what names no route or no secret, and rules that say nothing."""
    for name, route in routes.routes.items():
        if not _NAME.fullmatch(name):
            text = f"{name!r} is no name of a route; write lower-case letters, digits and '-', at most 63"
            yield Mistake(path=("routes", name), text=text)
        if not _SECRET.fullmatch(route.address):
            # It may be an address: whatever stands here is not repeated.
            text = "it is no name of a secret; put the address into Secret Manager, and write the name of the secret"
            yield Mistake(path=("routes", name, "address"), text=text)
    yield from _contacts(routes)
    if routes.routes and not routes.fallback:
        text = "name a route that hears what no rule is about; without one nobody would"
        yield Mistake(path=("fallback",), text=text)
    yield from _unknown(routes.fallback, ("fallback",), routes.routes)
    for index, rule in enumerate(routes.rules):
        yield from _rule(rule, ("rules", index), routes)


def _contacts(routes: Routes) -> Iterator[Mistake]:
    """What would tell no contact, or one whom nobody has listed."""
    telling = [name for name, route in routes.routes.items() if route.to_contacts]
    for name in telling:
        if routes.routes[name].receiver is not ReceiverKind.EMAIL:
            text = "only the receiver email tells contacts; take to_contacts away, or make a route of receiver email"
            yield Mistake(path=("routes", name, "to_contacts"), text=text)
        if not routes.contact_domains:
            text = "it tells nobody; list the domains of your people in contact_domains, such as example.com"
            yield Mistake(path=("routes", name, "to_contacts"), text=text)
    if routes.contact_domains and not telling:
        text = "no route tells contacts; write to_contacts: true at a route of receiver email"
        yield Mistake(path=("contact_domains",), text=text)
    for index, domain in enumerate(routes.contact_domains):
        if not _DOMAIN.fullmatch(domain):
            text = f"{domain!r} is no domain; write it whole and in lower-case letters, without '@' and '*'"
            yield Mistake(path=("contact_domains", index), text=text)


def _rule(rule: RouteRule, place: DocumentPath, routes: Routes) -> Iterator[Mistake]:
    if all(getattr(rule, field) is None for field in rule.__struct_fields__ if field != "to"):
        text = "it has no condition; for every notice, write its routes into fallback"
        yield Mistake(path=place, text=text)
    if not rule.to:
        yield Mistake(path=(*place, "to"), text=f"name at least one route, {expected('', routes.routes)}")
    yield from _unknown(rule.to, (*place, "to"), routes.routes)
    for pattern in as_tuple(rule.cluster or ()):
        if not (may_be_cluster(pattern) or _PROJECT.fullmatch(pattern)):
            text = f"{pattern!r} can never match; write projects/P/locations/L/clusters/C, or projects/P of Cloud Run"
            yield Mistake(path=(*place, "cluster"), text=text)
    for pattern in as_tuple(rule.namespace or ()):
        if not _NAMESPACE.fullmatch(pattern):
            text = f"{pattern!r} can never match; a namespace is lower-case letters, digits and '-', such as team-*"
            yield Mistake(path=(*place, "namespace"), text=text)


def _unknown(names: Iterable[str], place: DocumentPath, known: Mapping[str, object]) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if name not in known:
            text = f"no route is named {name!r}; {expected(name, known)}"
            yield Mistake(path=(*place, index), text=text, reason="unknown_route")


def unknown_routes(steps: tuple[PolicyStep, ...], routes: Routes | None) -> Iterator[Mistake]:
    """Steps that notify a route which is not there. Without routes the name goes to the subscribers of the topic."""
    for index, step in enumerate(steps):
        name = step.parameters.get("to", "")
        if routes and step.action == "notify" and name and name not in routes.routes:
            text = f"{ROUTES_FILE} has no route {name!r}; {expected(str(name), routes.routes)}"
            yield Mistake(path=("then", index, "with", "to"), text=text, reason="unknown_route")
