"""Policies, ready to be matched. `policy_file` reads them from YAML, `compiled` from what a deployment has."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from scc_responder.actions import Params, actions
from scc_responder.domain.mode import Mode, capped, furthest
from scc_responder.domain.value import StrictValue, Value, resolved
from scc_responder.domain.wildcards import matches
from scc_responder.policy.guardrails import GUARDRAILS_FILE, AcceptedWarning, Guardrails
from scc_responder.policy.hours import Hours
from scc_responder.policy.limits import Limit, Share
from scc_responder.policy.match import Match, Patterns, as_tuple

if TYPE_CHECKING:
    from scc_responder.policy.routes import Routes

ROUTES_FILE = "routes.yaml"
TEST_SUFFIX = ".test.yaml"
SCOPE_FILE = "scope.yaml"
SHIPPED_FILE = "shipped.yaml"


class OnFailure(StrEnum):
    """Whether a step that fails stops the later changes of its policy too, or only the steps that need it.

    What only observes (`capture_evidence`, `notify`) is never stopped.
    """

    STOP = "stop"
    CONTINUE = "continue"


AskedOfStep = tuple[str, str, tuple[str, ...], OnFailure]
"""All that a step says: its action, what it is done with, what it needs, and what its failure stops."""


class PolicyStep(StrictValue, frozen=True, kw_only=True, dict=True, rename={"parameters": "with"}):
    """One step as written: `action` and its `with`.

    `needs` names actions of earlier steps that must have been carried out and proven before this one starts. A deletion
    needs the evidence that is captured before it, named or not.
    """

    action: str
    parameters: dict[str, Any] = {}
    needs: tuple[str, ...] = ()
    on_failure: OnFailure = OnFailure.CONTINUE

    @cached_property
    def params(self) -> Params:
        """The parameters as the action's own type. Raises msgspec.ValidationError."""
        return msgspec.convert(self.parameters, resolved(actions()[self.action].params))

    @cached_property
    def variant(self) -> str:
        """The parameters as canonical JSON: equal parameters are equal text."""
        return msgspec.json.encode(self.params, order="sorted").decode()

    @cached_property
    def asked(self) -> AskedOfStep:
        """All that the step says: equal steps have equal plans."""
        return self.action, self.variant, self.needs, self.on_failure


class ClusterMode(StrictValue, frozen=True, kw_only=True, omit_defaults=True):
    """How far a policy goes in clusters that fit one of the patterns, `projects/P/locations/L/clusters/C`.

    With a `share`, such as `5%`, in that share of them alone: the same for all policies, and more of it with a larger
    share. With `namespace_labels`, only where the pod's namespace has labels of these keys and values; a mode like that
    raises what holds otherwise, and never lowers it.
    """

    mode: Mode
    clusters: tuple[str, ...]
    share: Share | None = None
    namespace_labels: dict[str, Patterns] | None = None

    def fits(self, cluster: str) -> bool:
        """Whether it holds in this cluster, given by its path: the first bytes of its hash are its place in a share."""
        place = int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:4]) / 2**32
        is_meant = self.share is None or place * 100 < int(self.share[:-1])
        return is_meant and any(matches(pattern, cluster) for pattern in self.clusters)

    def fits_labels(self, labels: Mapping[str, str]) -> bool:
        """Whether it holds in a namespace with these labels."""
        wanted = (self.namespace_labels or {}).items()
        return all(
            key in labels and any(matches(text, labels[key]) for text in as_tuple(texts)) for key, texts in wanted
        )


class Policy(StrictValue, frozen=True, kw_only=True):
    """A policy: which findings it is about, and what is then done. `condition` is a CEL expression, or empty.

    `modes` hold in their clusters instead of `mode`; a cluster that several name has the furthest of them. Those with
    labels of the namespace only raise what holds without them.

    `then` is an order, not a chain: a step that fails stops only the steps that need it. `limits` count what this
    policy does anywhere; those of the guardrails hold beside them. `accepted` are warnings of `policy lint`. Within
    `otherwise`: it applies only where no policy without this word does. Within
    `quiet_hours`, and outside of all `office_hours` where there are any, the mode is `out_of_hours` at most.
    """

    name: str
    description: str
    owner: str
    mode: Mode
    when: Match
    unless: Match = Match()
    condition: str = ""
    then: tuple[PolicyStep, ...]
    limits: tuple[Limit, ...] = ()
    quiet_hours: tuple[Hours, ...] = ()
    office_hours: tuple[Hours, ...] = ()
    out_of_hours: Mode = Mode.DRY_RUN
    accepted: tuple[AcceptedWarning, ...] = ()
    modes: tuple[ClusterMode, ...] = ()
    otherwise: bool = False

    @property
    def furthest(self) -> Mode:
        """The furthest that it goes anywhere."""
        return furthest((self.mode, *(one.mode for one in self.modes)))

    def mode_in(self, cluster: str, labels: Mapping[str, str] | None = None) -> Mode:
        """How far it goes in a cluster, in a namespace with these labels; None where they are not known.

        Where the cluster is not known, no further than in any; where the labels are not, they raise nothing.
        """
        plain = [one for one in self.modes if one.namespace_labels is None]
        if not cluster:
            return capped(self.mode, *(one.mode for one in plain))
        fitting = [one.mode for one in plain if one.fits(cluster)]
        raised = [] if labels is None else [one.mode for one in self.raising(cluster) if one.fits_labels(labels)]
        return furthest([*(fitting or [self.mode]), *raised])

    def raising(self, cluster: str) -> tuple[ClusterMode, ...]:
        """What may raise its mode in a cluster by labels of the namespace."""
        return tuple(one for one in self.modes if one.namespace_labels is not None and one.fits(cluster))


class PolicySet(Value, frozen=True, kw_only=True):
    """All policies of a folder and its guardrails. `digest` is stored in every record of a decision by them.

    `routes` decide nothing: None where the folder has none.
    """

    policies: tuple[Policy, ...]
    guardrails: Guardrails
    digest: str
    routes: Routes | None = None


def policy_paths(folder: Path) -> list[Path]:
    """The policies of a folder and its subfolders, in the order of their names, wherever they stand."""
    found = (path for path in folder.rglob("*.yaml") if _is_policy(path.relative_to(folder)))
    return sorted(found, key=lambda path: (path.name, path))


def source_paths(folder: Path) -> list[Path]:
    """Every file of the folder that a deployment depends on: the policies, guardrails and routes if there are any."""
    others = (folder / name for name in (GUARDRAILS_FILE, ROUTES_FILE, SHIPPED_FILE))
    return [*policy_paths(folder), *(path for path in others if path.exists())]


def digest(folder: Path) -> str:
    """SHA-256 of the policies, guardrails and routes."""
    return sources_digest({path.relative_to(folder).as_posix(): path for path in source_paths(folder)})


def sources_digest(sources: Mapping[str, Path]) -> str:
    """SHA-256 of these files under these names, in their order."""
    found = hashlib.sha256()
    for name, path in sources.items():
        found.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _is_policy(path: Path) -> bool:
    """Whether the file of this path in the folder is a policy. Hidden folders hold none."""
    hidden = any(part.startswith(".") for part in path.parts[:-1])
    return (
        not hidden
        and not path.name.endswith(TEST_SUFFIX)
        and path.name not in {GUARDRAILS_FILE, ROUTES_FILE, SCOPE_FILE, SHIPPED_FILE}
    )
