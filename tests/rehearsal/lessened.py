"""The shipped roles, verb by verb, and what is left of them when one is taken away."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from scc_responder.domain.kubernetes.network_policies.policy_kinds import LISTS_OTHER_POLICIES
from tests.admission.kustomize import build, of_kind
from tests.cluster.polling import wait_until
from tests.rehearsal.stage import Stage

Verb = tuple[str, str, str, str]
"""(role, group, resource, verb)."""


def verbs(roles: Iterable[dict[str, Any]]) -> Iterator[Verb]:
    """Every verb of every resource that roles grant."""
    for role in roles:
        for rule in role["rules"]:
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for verb in rule["verbs"]:
                        yield role["metadata"]["name"], group, resource, verb


def permission(taken: Verb) -> str:
    """A verb as outcomes name it."""
    _, group, resource, verb = taken
    return f"{resource}{'.' if group else ''}{group}: {verb}"


SHIPPED = list(verbs(of_kind(build(), "ClusterRole")))
AFTER_A_CRASH = {"networkpolicies.networking.k8s.io: get"}
"""Needed only by a delivery that goes on after a crash: whether what was meant is there."""

WHERE_SERVED = {str(one) for one in LISTS_OTHER_POLICIES}
"""Needed only in a cluster that serves these kinds: `tests/e2e/test_other_policy_kinds.py` has one."""


def without(roles: Iterable[dict[str, Any]], taken: Verb) -> dict[str, Any]:
    """The role that holds this verb, less it: resources that share its rule keep theirs."""
    name, group, resource, verb = taken
    role = copy.deepcopy(next(role for role in roles if role["metadata"]["name"] == name))
    rules = []
    for rule in role["rules"]:
        if rule["apiGroups"] == [group] and resource in rule["resources"] and verb in rule["verbs"]:
            others = [other for other in rule["resources"] if other != resource]
            left = [other for other in rule["verbs"] if other != verb]
            rules += [{**rule, "resources": others}] if others else []
            rules += [{**rule, "resources": [resource], "verbs": left}] if left else []
        else:
            rules.append(rule)
    return {**role, "rules": rules}


class Lessened:
    """Takes verbs out of the shipped roles, and puts them back at the end."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._taken: list[Verb] = []

    def take(self, taken: Verb) -> None:
        """Take one away, and wait until the API server goes by it."""
        self._taken.append(taken)
        self._stage.plane.admin.apply(yaml.safe_dump(without(self._stage.roles(), taken)))
        self._wait(taken, allowed=False)

    def put_back(self) -> None:
        """Apply all that is shipped again."""
        if self._taken:
            self._stage.plane.admin.apply(yaml.safe_dump_all(self._stage.manifests))
        for taken in self._taken:
            self._wait(taken, allowed=True)

    def _wait(self, taken: Verb, *, allowed: bool) -> None:
        _, group, resource, verb = taken
        wait_until(lambda: self._stage.may(verb, resource, group) is allowed, what="the roles to be in force")
