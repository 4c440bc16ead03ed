"""What is wrong with conditions, limits and parameters as people wrote them: found at lint, not by the function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from scc_responder.actions import AllowedKeys, Params
from scc_responder.actions.annotate_pod import AnnotatePodParams
from scc_responder.actions.cordon_node import CordonNodeParams
from scc_responder.actions.label_pod import LabelPodParams
from scc_responder.actions.notify import NotifyParams
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.labels import FINDING, PREFIX, THREAT, is_own_key
from scc_responder.domain.wildcards import DEEP, matches
from scc_responder.intake.threats import CONFIDENCES, DETECTORS, SURFACES, THREAT_KINDS, UNKNOWN, catalogue
from scc_responder.policy.limits import Limit
from scc_responder.policy.match import Match, as_tuple
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, did_you_mean, expected, if_denied

MAX_WORDS_LISTED = 30
"""More words than these are not listed in an error."""


VOCABULARIES: dict[str, Callable[[], tuple[str, ...]]] = {
    "threat": lambda: (*(row.name for row in catalogue()), UNKNOWN),
    "detector": lambda: DETECTORS,
    "kind": lambda: THREAT_KINDS,
    "confidence": lambda: CONFIDENCES,
    "surface": lambda: (*SURFACES, UNKNOWN),
}
"""The only values that these fields can have: a pattern that fits none of them would never match."""


_SERVICE_NAME = re.compile(r"[a-z0-9*?-]{1,63}", re.ASCII)
_PROJECT = re.compile(r"[a-z*?][a-z0-9.:*?-]{0,99}", re.ASCII)
LOCATION = re.compile(r"[a-z0-9*?-]{1,63}", re.ASCII)
"""What a pattern of locations must look like to match anything at all."""


def spread(pattern: str, depth: int) -> Iterator[list[str]]:
    """The parts of a pattern, with `**` as so many single parts as make up the depth."""
    parts = pattern.split("/")
    if DEEP not in parts:
        yield parts
        return
    at = parts.index(DEEP)
    for count in range(1, depth - len(parts) + 2):
        yield from spread("/".join([*parts[:at], *["*"] * count, *parts[at + 1 :]]), depth)


def may_be_cluster(pattern: str) -> bool:
    """Whether a pattern can fit the path of a cluster."""
    return any(_is_cluster(parts) for parts in spread(pattern, 6))


def _is_cluster(parts: Sequence[str]) -> bool:
    return len(parts) == 6 and all(map(matches, parts[::2], ("projects", "locations", "clusters"))) and all(parts)


def may_be_service(pattern: str) -> bool:
    """Whether a pattern can fit the path of a service or job of Cloud Run, whose project is named by its id."""
    return any(_is_service(parts) for parts in spread(pattern, 6))


def _is_service(parts: Sequence[str]) -> bool:
    if len(parts) != 6 or not all(map(matches, (parts[0], parts[2]), ("projects", "locations"))):
        return False
    forms = ((_PROJECT, parts[1]), (LOCATION, parts[3]), (_SERVICE_NAME, parts[5]))
    kinds = any(matches(parts[4], plural) for plural in ("services", "jobs"))
    return kinds and all(form.fullmatch(part) for form, part in forms)


PROJECT_BY_ID = "in lower case, with the project's id, as findings name it"
"""How a path of Cloud Run is written: the number of a project is replaced by its id before anything is compared."""


_FORMS: dict[str, tuple[Callable[[str], object], str]] = {
    "location": (LOCATION.fullmatch, "a location is like europe-west1 or europe-*"),
    "project": (_PROJECT.fullmatch, "give a project's id, as findings name it, not its number"),
    "service": (
        lambda pattern: may_be_service(pattern) or _SERVICE_NAME.fullmatch(pattern),
        f"write a name such as checkout, projects/P/locations/L/services/N or .../jobs/N, {PROJECT_BY_ID}",
    ),
}
"""What a pattern must look like to match anything at all, by the field it stands in."""


def match_mistakes(match: Match, path: DocumentPath) -> Iterator[Mistake]:
    """Every condition that can never hold or is likely a mistake: an empty list matches nothing, no labels all."""
    for name, value in match.given().items():
        patterns = value.values() if isinstance(value, dict) else (value,)
        if not value or not all(patterns):
            yield Mistake(path=(*path, name), text="empty; give a pattern or remove it")
        elif name in VOCABULARIES or name in _FORMS:
            for index, pattern in enumerate(as_tuple(value)):
                place = (*path, name) if isinstance(value, str) else (*path, name, index)
                yield from (
                    _unmatchable(name, pattern, place) if name in VOCABULARIES else _unformed(name, pattern, place)
                )


def _unformed(name: str, pattern: str, path: DocumentPath) -> Iterator[Mistake]:
    fits, remedy = _FORMS[name]
    if not fits(pattern):
        yield Mistake(path=path, text=f"{pattern!r} can never match; {remedy}")


def _unmatchable(name: str, pattern: str, path: DocumentPath) -> Iterator[Mistake]:
    words = VOCABULARIES[name]()
    if pattern in words or (("*" in pattern or "?" in pattern) and any(matches(pattern, word) for word in words)):
        return
    if len(words) > MAX_WORDS_LISTED:
        told = f"scc-responder {name}s lists them{did_you_mean(pattern, words)}"
    else:
        told = expected(pattern, words)
    yield Mistake(path=path, text=f"unknown {name} {pattern!r}; {told}{if_denied(pattern)}")


def limit_mistakes(limit: Limit, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with one limit, of guardrails or of a policy."""
    most = limit.most
    if isinstance(most, str) and not SHARE.fullmatch(most):
        yield Mistake(path=(*path, "most"), text=f"{most!r} is no share; write a number, or 1% to 100%")
    if isinstance(most, int) and most < 1:
        yield Mistake(path=(*path, "most"), text=f"{most} would allow nothing; to allow nothing, use mode: disabled")
    yield from duration_mistakes(limit.within, (*path, "within"))


_OF_CLOUD_RUN = frozenset({"service"})
_OF_BOTH = frozenset({"project", "organization"})


def scope_mistakes(limit: Limit, scope: str, path: DocumentPath) -> Iterator[Mistake]:
    """What a limit counts that is not in its scope, so that it would never hold."""
    fits = scope in _OF_BOTH or (limit.of == "services") == (scope in _OF_CLOUD_RUN)
    if not fits:
        counted = "services" if scope in _OF_CLOUD_RUN else "pods, or nodes"
        yield Mistake(path=path, text=f"{limit.of} are in no {scope.replace('_', ' ')}; write {counted}")


def duration_mistakes(text: str, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with a length of time."""
    try:
        length = parse_duration(text)
    except ValueError as error:
        yield Mistake(path=path, text=str(error))
    else:
        if not length:
            yield Mistake(path=path, text=f"{text!r} is no time at all; write a longer one, such as 10m")


def share_mistakes(share: str, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with a share of something."""
    if not SHARE.fullmatch(share):
        yield Mistake(path=path, text=f"{share!r} is no share; write 1% to 100%")


SHARE = re.compile(r"(?:[1-9][0-9]?|100)%", re.ASCII)

_KEY = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)
_LABEL_VALUE = re.compile(rf"(?:{_KEY.pattern})?", re.ASCII)
_ROUTE = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)


def parameter_mistakes(params: Params, allowed: AllowedKeys, path: DocumentPath) -> Iterator[Mistake]:
    """What is wrong with the `with:` of a step, whose types are right; `allowed` is what guardrails.yaml lists."""
    match params:
        case AnnotatePodParams(annotations=wanted):
            yield from _key_mistakes(wanted, allowed.annotations, (*path, "annotations"), (FINDING, THREAT))
        case LabelPodParams(labels=wanted):
            yield from _key_mistakes(wanted, allowed.labels, (*path, "labels"))
            yield from _value_mistakes(wanted, (*path, "labels"))
        case CordonNodeParams(release_after=text) if text:
            yield from duration_mistakes(text, (*path, "release_after"))
        case NotifyParams(to=route) if route and not _ROUTE.fullmatch(route):
            text = f"{route!r} is no name of a route; write lower-case letters, digits and '-', at most 63"
            yield Mistake(path=(*path, "to"), text=text)


def _key_mistakes(
    wanted: Mapping[str, str], allowed: Iterable[str], path: DocumentPath, own: Iterable[str] = ()
) -> Iterator[Mistake]:
    """Keys that may not be written. Those that the responder writes itself, and those in `own`, are refused too."""
    listed, reserved = set(allowed), set(own)
    for key in wanted:
        if key in reserved or is_own_key(key):
            yield Mistake(path=path, text=f"{key!r} is written by the responder itself; choose another key")
        elif not key.startswith(PREFIX) and key not in listed:
            text = f"{key!r} does not start with {PREFIX!r}; rename it, or list it in guardrails.yaml"
            yield Mistake(path=path, text=text)
        elif not _KEY.fullmatch(key.rpartition("/")[2]):
            text = f"{key!r} is no key that Kubernetes accepts; use letters, digits, '-', '_' and '.'"
            yield Mistake(path=path, text=text)


def _value_mistakes(labels: Mapping[str, str], path: DocumentPath) -> Iterator[Mistake]:
    """Values of labels that Kubernetes would refuse."""
    for key, value in labels.items():
        if not _LABEL_VALUE.fullmatch(value):
            text = f"{key!r}: {value!r} is no label value; use at most 63 letters, digits, '-', '_' and '.'"
            yield Mistake(path=path, text=text)
