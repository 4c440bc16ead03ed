"""The targets that policies and guardrails tell apart: for each field, one value of each kind. Pure."""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import TypeVar

from scc_responder.domain.errors import PolicyError
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.domain.wildcards import DEEP, matches
from scc_responder.guard.google_agents import AGENT_PODS
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.match import Match, Patterns, as_tuple
from scc_responder.policy.policy_set import ClusterMode, PolicySet
from scc_responder.workbench.policy_files.pattern_words import LOWER, Chain, glob, some, very_text, words
from scc_responder.workbench.policy_files.value_bounds import measured

SYSTEM_NAMESPACES = frozenset({"kube-system", "kube-public", "kube-node-lease", *(space for space, _ in AGENT_PODS)})
"""What nothing may be changed in, whatever guardrails say: those of Kubernetes itself and of Google's agents."""

_T = TypeVar("_T")
_MOST_PAIRS = 2000
_TRIED_NAMES = 5000
"""So many names of clusters are tried until one is in a share: of 1 %, all are beside it once in 10^21."""
_DASHED = LOWER | {"-"}
_DOTTED = LOWER | {"-", "."}
_SIGNS = frozenset(string.ascii_letters + string.digits + "-._:@/")
_VALUE = frozenset(string.ascii_letters + string.digits + "-._")
_LABEL_VALUE = (some(_VALUE), some(_VALUE, repeats=True))
_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "Pod")
_NODE_NAMES = [(some(LOWER),), (some(LOWER), some(_DOTTED, repeats=True), some(LOWER))]
_TEXT = (*very_text(""), some(LOWER), some(_SIGNS, repeats=True))


class TargetValues(Value, frozen=True, kw_only=True):
    """For each part of a target, the values to try. A workload is `NAMESPACE/KIND/NAME`; an empty text is missing.

    `labels` are those of the pod, by key, and `namespace_labels` those of its namespace. `images` are those of all
    containers of one finding.
    """

    clusters: tuple[str, ...]
    services: tuple[str, ...]
    workloads: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    namespace_labels: Mapping[str, tuple[str, ...]]
    images: tuple[tuple[str, ...], ...]
    node_pools: tuple[str, ...]
    principals: tuple[str, ...]
    nodes: tuple[str, ...]


USUAL_CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"
USUAL_SERVICE = "projects/example-project/locations/europe-west1/services/web"
USUAL_JOB = "projects/example-project/locations/europe-west1/jobs/nightly-import"
USUAL_WORKLOAD = "shop/Deployment/web"
USUAL_IMAGE = "europe-docker.pkg.dev/example-project/shop/web:1.4.2"
USUAL_NODE_POOL = "pool-1"
USUAL_PRINCIPAL = "deployer@example-project.iam.gserviceaccount.com"
USUAL_NODE = "gke-prod-1-pool-1-3f2a1b0c-q7wz"


def matches_of(packs: Iterable[PolicySet]) -> Iterator[Match]:
    """Every match of policies and exemptions."""
    for pack in packs:
        for policy in pack.policies:
            yield policy.when
            yield policy.unless
        yield from (exemption.when for exemption in pack.guardrails.exemptions)


def possible_targets(packs: Sequence[PolicySet]) -> TargetValues:
    """The values of each part of a target that these policies and guardrails tell apart. Raises PolicyError."""
    rails = [pack.guardrails for pack in packs]
    asked = list(matches_of(packs))
    modes = [one for pack in packs for policy in pack.policies for one in policy.modes]
    principals = [*_given(asked, "principal"), *_protected(rails, "principals")]
    pool_names = (some(LOWER), some(_DASHED, repeats=True))
    pools = _of("node pools", lambda: _words(_given(asked, "node_pool"), pool_names, USUAL_NODE_POOL))
    nodes = [glob(item) for item in _protected(rails, "nodes")]
    return TargetValues(
        clusters=_of("clusters, projects and locations", lambda: _clusters(asked, rails, modes)),
        services=_of("services, projects and locations", lambda: _services(asked, rails)),
        workloads=_of("namespaces and workloads", lambda: _workloads(asked, rails)),
        labels=_of("labels", lambda: {key: ("", *_values(asked, key)) for key in sorted(_keys(asked))}),
        namespace_labels=_of(
            "namespaces' labels", lambda: _of_namespaces([one.namespace_labels or {} for one in modes])
        ),
        images=_of("images", lambda: _images(asked)),
        node_pools=(*pools, *([""] if len(pools) > 1 else [])),
        principals=_of("principals", lambda: _words(principals, _TEXT, USUAL_PRINCIPAL)),
        nodes=_of("nodes", lambda: words(nodes, [_NODE_NAMES], [USUAL_NODE])),
    )


def _of(what: str, made: Callable[[], _T]) -> _T:
    """The values of one part. Raises PolicyError that says of which."""
    try:
        return made()
    except PolicyError as error:
        raise PolicyError(error.reason, f"{what} in policies and guardrails: {error}") from error


def _given(asked: Iterable[Match], field: str) -> list[str]:
    return list(dict.fromkeys(pattern for match in asked for pattern in as_tuple(match.given().get(field, ()))))


def _protected(rails: Iterable[Guardrails], field: str) -> list[str]:
    return [pattern for one in rails for pattern in getattr(one.protected, field)]


def _words(patterns: Iterable[str], form: Chain, *preferred: str) -> tuple[str, ...]:
    return words([glob(pattern) for pattern in patterns], [[form]], preferred)


def _placed(asked: list[Match], rails: list[Guardrails], before: Chain) -> Iterator[Chain]:
    """Patterns of projects and locations, as of a whole path; a region has its zones. `before` ends with the name."""
    rest = (*very_text("/"), *glob(DEEP))
    for pattern in _given(asked, "project"):
        yield (*very_text("projects/"), *_part(pattern), *rest)
    zone = (*very_text("-"), some(_DASHED - {"-"}))
    for pattern in [*_given(asked, "location"), *_protected(rails, "locations")]:
        for region in ((), zone):
            yield (*before, *_part(pattern), *region, *rest)


def _part(pattern: str) -> Chain:
    """A pattern of one part of a path."""
    return glob("*" if pattern == DEEP else pattern)


def _in_each_share(clusters: Sequence[str], modes: Sequence[ClusterMode], patterns: Sequence[str]) -> Iterator[str]:
    """Beside each cluster others that every pattern takes alike: in each share alone, between each two, and in none."""
    shares = sorted({one.share for one in modes if one.share}, key=measured)
    wide = [ClusterMode(mode=Mode.ENFORCE, clusters=("**",), share=share) for share in shares]
    for cluster in clusters if shares else ():
        seen = {sum(not one.fits(cluster) for one in wide)}
        met = [matches(pattern, cluster) for pattern in patterns]
        for number in range(_TRIED_NAMES):
            name = f"{cluster}{number}"
            if len(seen) > len(shares) or [matches(pattern, name) for pattern in patterns] != met:
                break
            beside = sum(not one.fits(name) for one in wide)
            if beside not in seen:
                seen.add(beside)
                yield name


def _clusters(asked: list[Match], rails: list[Guardrails], modes: Sequence[ClusterMode]) -> tuple[str, ...]:
    named = chain.from_iterable(one.clusters for one in modes)
    bounds = [*_rails_clusters(rails), *_protected(rails, "clusters"), *_given(asked, "cluster"), *named]
    before = glob("projects/*/locations/")
    form = (
        *(*very_text("projects/"), some(LOWER), some(_DOTTED | {":"}, repeats=True)),
        *(*very_text("/locations/"), some(LOWER), some(_DASHED, repeats=True)),
        *(*very_text("/clusters/"), some(LOWER), some(_DASHED, repeats=True)),
    )
    found = words([*map(glob, bounds), *_placed(asked, rails, before)], [[form]], [USUAL_CLUSTER])
    return (*found, *_in_each_share(found, modes, bounds))


def _rails_clusters(rails: Iterable[Guardrails]) -> Iterator[str]:
    """The patterns of clusters in ceilings and quiet hours."""
    for one in rails:
        for clusters in cluster_lists(one):
            yield from clusters


def cluster_lists(rails: Guardrails) -> Iterator[tuple[str, ...]]:
    """The lists of clusters in ceilings and quiet hours; those that are empty are left out."""
    lists = (*(entry.clusters for entry in rails.ceilings), *(entry.clusters for entry in rails.quiet_hours))
    return (clusters for clusters in lists if clusters)


def _services(asked: list[Match], rails: list[Guardrails]) -> tuple[str, ...]:
    named = [*_given(asked, "service"), *_protected(rails, "services")]
    by_name = [
        (*glob(f"projects/*/locations/*/{kind}/"), *_part(pattern))
        for pattern in named
        for kind in ("services", "jobs")
        if "/" not in pattern
    ]
    before = (*very_text("projects/"), some(LOWER), some(_DOTTED | {":"}, repeats=True), *very_text("/locations/"))
    place = (*before, some(LOWER), some(_DASHED, repeats=True))
    forms = [
        [(*place, *very_text(f"/{kind}/"), some(LOWER), some(_DASHED, repeats=True))] for kind in ("services", "jobs")
    ]
    kinds = [glob(f"projects/*/locations/*/{kind}/*") for kind in ("services", "jobs")]
    asked_of = [*map(glob, named), *by_name, *_placed(asked, rails, glob("projects/*/locations/"))]
    return words([*kinds, *asked_of], forms, [USUAL_SERVICE, USUAL_JOB])


def _workloads(asked: list[Match], rails: list[Guardrails]) -> tuple[str, ...]:
    spaces = [*_given(asked, "namespace"), *_protected(rails, "namespaces"), *SYSTEM_NAMESPACES]
    spaces += [pattern for one in rails for ceiling in one.ceilings for pattern in ceiling.namespaces]
    owners = _given(asked, "workload")
    protected = [*_protected(rails, "workloads"), *(pattern for one in rails for pattern in one.keep_serving)]
    patterns = [
        *((*_part(pattern), *glob("/*/*")) for pattern in dict.fromkeys(spaces)),
        *((*glob("*/"), *glob(pattern)) for pattern in owners),
        *map(glob, protected),
    ]
    kinds = {pattern.split("/")[-2] for pattern in (*owners, *protected) if "/" in pattern}
    named = (kind for kind in sorted(kinds - set(_KINDS)) if not set("*?") & set(kind))
    forms = (_owned(kind) for kind in (*_KINDS, *named))
    return words(patterns, forms, [USUAL_WORKLOAD])


def _owned(kind: str) -> list[Chain]:
    """Namespace and name, each of one sign or more, that neither begin nor end with a dash."""
    ends = some(LOWER)
    names = ((ends,), (ends, some(_DASHED, repeats=True), ends))
    return [(*space, *very_text(f"/{kind}/"), *name) for space in names for name in names]


def _keys(asked: Iterable[Match]) -> set[str]:
    return {key for match in asked for key in match.labels or {}}


def _values(asked: Iterable[Match], key: str) -> tuple[str, ...]:
    patterns = dict.fromkeys(
        pattern for match in asked for pattern in as_tuple((match.labels or {}).get(key, ())) if match.labels
    )
    return _words(patterns, _LABEL_VALUE)


def _of_namespaces(wanted: Sequence[Mapping[str, Patterns]]) -> dict[str, tuple[str, ...]]:
    keys = sorted({key for labels in wanted for key in labels})
    named = {key: dict.fromkeys(text for labels in wanted for text in as_tuple(labels.get(key, ()))) for key in keys}
    return {key: ("", *_words(texts, _LABEL_VALUE)) for key, texts in named.items()}


def _images(asked: Iterable[Match]) -> tuple[tuple[str, ...], ...]:
    """One container, two that differ, and none: what any of them may be is asked, and what none may."""
    single = _words(_given(asked, "image"), _TEXT, USUAL_IMAGE)
    pairs = list(combinations(single, 2))[:_MOST_PAIRS]
    return (*((image,) for image in single), *pairs, *([()] if len(single) > 1 else []))
