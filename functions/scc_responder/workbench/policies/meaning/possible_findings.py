"""Which findings a policy's `when` can meet, as far as the catalogue and the rest of its words say. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any

from scc_responder.domain.finding import Confidence, Surface, ThreatKind
from scc_responder.domain.resource_names import region_of
from scc_responder.domain.value import Value
from scc_responder.domain.wildcards import DEEP, matcher
from scc_responder.intake.threats import CONFIDENCES, UNKNOWN, Row, catalogue, fold, runs_on
from scc_responder.policy.match import Match, as_tuple
from scc_responder.workbench.policy_files.mistakes import DocumentPath, Mistake, did_you_mean
from scc_responder.workbench.policy_files.pattern_words import may_share
from scc_responder.workbench.policy_files.rule_mistakes import MAX_WORDS_LISTED

OF_CLUSTERS = ("cluster", "namespace", "workload", "labels", "node_pool")
"""What nothing outside a cluster has."""
_READ: Mapping[str, Callable[[Row], tuple[str, ...]]] = {
    "threat": lambda row: (row.name,),
    "category": lambda row: tuple(map(fold, (row.category, *row.aliases))),
    "detector": lambda row: (row.detector,),
    "kind": lambda row: (row.kind,),
    "confidence": lambda row: CONFIDENCES[CONFIDENCES.index(row.confidence) :],
    "surface": lambda row: (row.surface,),
}
"""What a condition may meet in findings of a row; related findings can raise the confidence."""


class FindingKind(Value, frozen=True, kw_only=True):
    """Findings of one threat: the values that each field may have, and `open` those that may have any value."""

    values: dict[str, tuple[str, ...]]
    open: frozenset[str] = frozenset()

    @property
    def surface(self) -> str:
        """What it is about."""
        return self.values["surface"][0]

    def meets(self, field: str, wanted: str | tuple[str, ...]) -> bool:
        """Whether it may have a value that is wanted."""
        return field in self.open or any(map(_matcher(field, wanted), self.values[field]))

    def always_meets(self, field: str, wanted: str | tuple[str, ...]) -> bool:
        """Whether every value that it may have is wanted."""
        return field not in self.open and all(map(_matcher(field, wanted), self.values[field]))


@cache
def finding_kinds() -> tuple[FindingKind, ...]:
    """Every threat of the catalogue, and for each surface what the catalogue does not know."""
    known = (FindingKind(values={name: read(row) for name, read in _READ.items()}) for row in catalogue())
    surfaces = (Surface.POD, Surface.NODE, Surface.CLUSTER, Surface.CLOUD_RUN, Surface.AGENT, Surface.UNKNOWN)
    unknown = (
        FindingKind(
            values={
                "threat": (UNKNOWN,),
                "kind": (ThreatKind.BEHAVIORAL,),
                "confidence": (Confidence.POSSIBLE,),
                "surface": (surface,),
            },
            open=frozenset({"category", "detector"}),
        )
        for surface in surfaces
    )
    return (*known, *unknown)


def fitting_kinds(when: Match) -> tuple[FindingKind, ...]:
    """The kinds of findings that may fulfil `when`."""
    given = when.given()
    return tuple(
        kind
        for kind in finding_kinds()
        if all(kind.meets(field, wanted) for field, wanted in given.items() if field in _READ) and _placed(kind, given)
    )


def _placed(kind: FindingKind, given: Mapping[str, Any]) -> bool:
    """A service of Cloud Run and an AI agent are in no cluster, and only what is on Cloud Run is a service."""
    place = runs_on(kind.surface)
    clustered, served = any(name in given for name in OF_CLUSTERS), "service" in given
    return not (clustered and place != Surface.CLUSTER) and not (served and place != Surface.CLOUD_RUN)


_PART_OF_PATH = {"project": 1, "location": 3}


def implied_by(when: Match, field: str) -> tuple[str, ...]:
    """Patterns that the field of every target fits, by the paths or the project that `when` names; empty where none."""
    paths = as_tuple(when.cluster or when.service or ())
    if field in _PART_OF_PATH and paths and all(path.count("/") == 5 and DEEP not in path for path in paths):
        return tuple(path.split("/")[_PART_OF_PATH[field]] for path in paths)
    if field == "cluster":
        return tuple(f"projects/{project}/locations/*/clusters/*" for project in as_tuple(when.project or ()))
    return ()


def elsewhere(when: Match) -> Iterator[Mistake]:
    """A project or location in which no cluster or service is that `when` names."""
    for field in _PART_OF_PATH:
        implied, wanted = implied_by(when, field), as_tuple(getattr(when, field) or ())
        if field == "location":  # a zone is in its region, which has the zone's name but for its end
            implied = () if any(map(_is_wild, implied)) else (*implied, *map(region_of, implied))
        if implied and wanted and not any(may_share(one, other) for one in implied for other in wanted):
            text = f"no target can match: what `when` names is in {field} {' or '.join(dict.fromkeys(implied))}"
            yield Mistake(path=("when", field), text=text, reason="never_matches")


def _is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


def never_met(when: Match) -> Iterator[Mistake]:
    """Conditions that are possible alone, but not together."""
    given = when.given()
    if any(value == () for value in given.values()) or fitting_kinds(when):
        return  # what is empty keeps the policy from loading, and is told by its reader
    both = next((name for name in OF_CLUSTERS if name in given), "")
    if "service" in given and both:
        text = f"no target can match: what has a {both.replace('_', ' ')} is no service of Cloud Run"
        yield Mistake(path=("when", "service"), text=text, reason="never_matches")
        return
    fitting = [kind for kind in finding_kinds() if _placed(kind, given)]
    for name in [name for name in given if name in _READ]:
        left = [kind for kind in fitting if kind.meets(name, given[name])]
        if not left:
            yield Mistake(path=("when", name), text=_another(name, given[name], fitting), reason="never_matches")
            return
        fitting = left


def never_exempt(when: Match, path: DocumentPath) -> Iterator[Mistake]:
    """What an exemption asks of a finding that no finding is: it exempts nothing. What is not known of a target may."""
    asked = {name: wanted for name, wanted in when.given().items() if name in _READ}
    if () in asked.values() or any(
        all(kind.meets(name, wanted) for name, wanted in asked.items()) for kind in finding_kinds()
    ):
        return
    text = f"no finding is all of {', '.join(asked)} that stand here: nothing is exempted; remove one of them"
    yield Mistake(path=path, text=text, reason="never_matches")


def never_excepts(when: Match, unless: Match) -> Iterator[Mistake]:
    """Exceptions of findings that `when` does not meet anyway: what was to be left alone likely is not."""
    kinds = fitting_kinds(when)
    for field, wanted in unless.given().items():
        is_word = field in _READ and any(kind.meets(field, wanted) for kind in finding_kinds())
        if kinds and is_word and not any(kind.meets(field, wanted) for kind in kinds):
            told = _another(field, wanted, list(kinds)).partition(f"{field} is ")[2]
            text = f"it excepts nothing: of what `when` meets, {field} is {told}"
            yield Mistake(path=("unless", field), text=text, reason="never_matches")


def unknown_category(when: Match, path: DocumentPath = ("when",)) -> Iterator[Mistake]:
    """A category that the catalogue does not have, where no unknown threat was asked for: it is likely misspelt."""
    given = when.given()
    if not given.get("category") or UNKNOWN in as_tuple(given.get("threat", ())):
        return
    fitting = fitting_kinds(when)
    if fitting and all(kind.open for kind in fitting):
        known = [kind for kind in finding_kinds() if not kind.open]
        text = _another("category", given["category"], known)
        yield Mistake(path=(*path, "category"), text=text, reason="never_matches")


def _another(name: str, wanted: str | tuple[str, ...], fitting: list[FindingKind]) -> str:
    words = sorted({word for kind in fitting for word in kind.values.get(name, ())})
    could = ", ".join(words) if words and len(words) <= MAX_WORDS_LISTED else "another"
    before = "with the conditions before it, " if len(fitting) < len(finding_kinds()) else ""
    return f"no threat can match: {before}{name} is {could}{did_you_mean(as_tuple(wanted)[0], words)}"


@lru_cache(maxsize=1024)
def _matcher(field: str, wanted: str | tuple[str, ...]) -> Callable[[str], bool]:
    return matcher(tuple(map(fold, as_tuple(wanted))) if field == "category" else as_tuple(wanted))
