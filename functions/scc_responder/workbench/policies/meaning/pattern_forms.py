"""What the names are like that a pattern may meet, so that a pattern that can meet none is told. Pure.

Source: Kubernetes "Object Names and IDs" and "Labels and Selectors"; names of GKE clusters and node pools;
distribution/reference for images.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from scc_responder.domain.value import Value
from scc_responder.domain.wildcards import matches
from scc_responder.workbench.policy_files.mistakes import if_denied
from scc_responder.workbench.policy_files.rule_mistakes import PROJECT_BY_ID, may_be_service, spread


class NameForm(Value, frozen=True, kw_only=True):
    """Names of one kind: which characters they begin with, end with and hold, and how many at most."""

    begins: str
    ends: str
    holds: str
    longest: int = 63

    def may_meet(self, pattern: str) -> bool:
        """Whether a pattern for one part of a path fits any such name."""
        letters = len(pattern.replace("*", ""))
        return bool(
            letters <= self.longest
            and re.fullmatch(f"[*?{self.holds}]+", pattern, re.ASCII)
            and re.match(f"[*?{self.begins}]", pattern, re.ASCII)
            and re.search(rf"[*?{self.ends}]\Z", pattern, re.ASCII)
        )


LABEL = NameForm(begins="a-z0-9", ends="a-z0-9", holds="a-z0-9-")
"""A DNS label: namespaces, services, locations."""
LABEL_VALUE = NameForm(begins="A-Za-z0-9", ends="A-Za-z0-9", holds="A-Za-z0-9_.-")
_OBJECT = NameForm(begins="a-z0-9", ends="a-z0-9", holds="a-z0-9.-", longest=253)
_KIND = NameForm(begins="A-Z", ends="A-Za-z0-9", holds="A-Za-z0-9")
_IN_GKE = NameForm(begins="a-z", ends="a-z0-9", holds="a-z0-9-", longest=40)
_PROJECT = NameForm(begins="a-z0-9", ends="a-z0-9", holds="a-z0-9.:-", longest=100)
_KEY_PREFIX = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_KEY_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?", re.ASCII)
_IMAGE = re.compile(r"[A-Za-z0-9._:@*?-]+", re.ASCII)
_CLUSTER_PARTS = ("projects", _PROJECT, "locations", LABEL, "clusters", _IN_GKE)


def _in_parts(*parts: NameForm | str) -> Callable[[str], bool]:
    """A test of patterns for paths of these parts; a text stands for itself."""

    def fits(pattern: str) -> bool:
        return any(len(given) == len(parts) and all(map(_meets, parts, given)) for given in spread(pattern, len(parts)))

    return fits


def _meets(part: NameForm | str, pattern: str) -> bool:
    return matches(pattern, part) if isinstance(part, str) else part.may_meet(pattern)


def may_be_image(pattern: str) -> bool:
    """Whether a pattern may fit the name of an image: parts between slashes, in lower case but for host and tag."""
    parts = pattern.split("/")
    if "://" in pattern or not all(map(_IMAGE.fullmatch, parts)):
        return False
    names = [re.split("[:@*?]", part)[0] for part in (parts[1:] or parts)]
    return not any(re.search("[A-Z]", name) for name in names)


class PatternForm(NamedTuple):
    """What a pattern must be like to match anything at all, and what to write instead."""

    fits: Callable[[str], object]
    remedy: str


MATCH_FORMS: Mapping[str, PatternForm] = {
    "cluster": PatternForm(
        _in_parts(*_CLUSTER_PARTS), "write projects/P/locations/L/clusters/C; * stands for one part of it"
    ),
    "namespace": PatternForm(
        LABEL.may_meet, "a namespace is lower-case letters, digits and '-' within, such as shop or team-*"
    ),
    "workload": PatternForm(_in_parts(_KIND, _OBJECT), "write Kind/name, such as Deployment/web or StatefulSet/*-db"),
    "image": PatternForm(may_be_image, "write it as host/repository/name:tag; ** stands for any depth"),
    "node_pool": PatternForm(_IN_GKE.may_meet, "a node pool is lower-case letters, digits and '-', such as pool-1"),
    "project": PatternForm(_PROJECT.may_meet, "a project's id is lower-case letters, digits and '-'"),
    "location": PatternForm(LABEL.may_meet, "a location is like europe-west1 or europe-*"),
    "service": PatternForm(
        lambda pattern: LABEL.may_meet(pattern.rpartition("/")[2]) and ("/" not in pattern or may_be_service(pattern)),
        f"write a name such as checkout, projects/P/locations/L/services/N or .../jobs/N, {PROJECT_BY_ID}",
    ),
}
"""By the field of `when`, `unless` and exemptions."""

RAIL_FORMS: Mapping[str, PatternForm] = {
    "namespaces": MATCH_FORMS["namespace"],
    "workloads": PatternForm(
        _in_parts(LABEL, _KIND, _OBJECT),
        "write namespace/Kind/name, such as shop/Deployment/web or */StatefulSet/*-db",
    ),
    "nodes": PatternForm(_OBJECT.may_meet, "a node is lower-case letters, digits, '-' and '.', such as gke-prod-1-*"),
    "clusters": MATCH_FORMS["cluster"],
    "services": PatternForm(
        lambda pattern: may_be_service(pattern) and LABEL.may_meet(pattern.rpartition("/")[2]),
        f"write projects/P/locations/L/services/N or .../jobs/N, {PROJECT_BY_ID}; * stands for one part of it",
    ),
    "locations": MATCH_FORMS["location"],
}
"""By the field of guardrails."""


def key_mistake(key: str) -> str:
    """Why no label has this key; empty where one may."""
    prefix, slash, name = key.rpartition("/")
    if "*" in key or "?" in key:
        return f"{key!r} can never match; keys are whole, without * and ?: write each key"
    if not _KEY_NAME.fullmatch(name) or (slash and not _KEY_PREFIX.fullmatch(prefix)):
        return f"{key!r} can never match; a key is like tier or example.com/tier"
    return ""


def form_mistake(form: PatternForm, pattern: str) -> str:
    """Why the pattern matches nothing; empty where it may match something."""
    return "" if form.fits(pattern) else f"{pattern!r} can never match; {form.remedy}{if_denied(pattern)}"
