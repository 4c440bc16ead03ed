"""The permissions that the enabled policies need, and no others. Pure.

A permission is written as `kubectl auth can-i` and IAM spell it: `networkpolicies.networking.k8s.io: create`, or
`pubsub.topics.publish`. Policies in dry run need the same ones as those that enforce: their requests are sent with
`dryRun=All`, which the API server authorizes like any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from itertools import chain
from pkgutil import iter_modules
from typing import Any

from scc_responder.actions import actions
from scc_responder.collect.endpoints import EndpointKind
from scc_responder.collect.read_permissions import ASKED_PERMISSIONS, ENDPOINT_PERMISSIONS, READ_PERMISSIONS
from scc_responder.domain.asked_facts import AskedFact
from scc_responder.domain.changes import ChangeKind
from scc_responder.domain.changes.thaw_process import THAWS_PROCESS
from scc_responder.domain.mode import Mode
from scc_responder.domain.permissions import (
    RUN_OPERATION,
    Permission,
    Permissions,
    Tier,
    iam,
    is_run_write,
    merged,
)
from scc_responder.domain.value import Value
from scc_responder.execute.evidence import sources_for
from scc_responder.pipeline.undo import undo_changes
from scc_responder.policy.asked_by import named_facts
from scc_responder.policy.policy_set import Policy

EVERY_FINDING = "every finding"
GOOGLE_READS = {
    "securitycenter.findings.list": EVERY_FINDING,
    "securitycenter.notificationconfig.get": "seeing that findings are still sent",
    "container.clusters.get": EVERY_FINDING,
    **dict.fromkeys(ENDPOINT_PERMISSIONS[EndpointKind.DNS_ENDPOINT], "clusters reached by their DNS endpoint"),
    "datastore.entities.create": EVERY_FINDING,
    "datastore.entities.get": EVERY_FINDING,
    "datastore.entities.list": "finding a case by the start of its id",
    "datastore.entities.update": EVERY_FINDING,
    "pubsub.topics.publish": "telling of what is held or failed",
}
"""What every finding needs of Google's APIs, whatever the policies are, and what for."""

VERBS = ("get", "list", "create", "patch", "delete")
READING = frozenset({"get", "list"})
_RUN_WRITES = "run, what changes"


class GrantScope(Value, frozen=True, kw_only=True):
    """Where a role is granted, so that it holds there and nowhere else."""

    title: str
    grant: str


GRANT_SCOPES = {
    "securitycenter": GrantScope(
        title="scc-responder findings", grant="the organization, folder or project whose findings it responds to"
    ),
    "container": GrantScope(title="scc-responder clusters", grant="every project with a cluster that it may act on"),
    "gkehub": GrantScope(title="scc-responder fleets", grant="the project of every fleet with such a cluster"),
    "essentialcontacts": GrantScope(
        title="scc-responder contacts", grant="the organization, folder or project whose findings it responds to"
    ),
    "logging": GrantScope(title="scc-responder logs", grant="every project with a cluster whose logs it may read"),
    "monitoring": GrantScope(
        title="scc-responder metrics", grant="every project whose services of Cloud Run it may count the instances of"
    ),
    "run": GrantScope(
        title="scc-responder services", grant="every project whose services and jobs of Cloud Run are evidence"
    ),
    _RUN_WRITES: GrantScope(
        title="scc-responder run writer",
        grant="every project whose services and jobs may be changed, to the second identity and to no other",
    ),
    "datastore": GrantScope(
        title="scc-responder store", grant="the project of the journal, with a condition that names its database"
    ),
    "storage": GrantScope(title="scc-responder evidence", grant="the bucket for evidence, and nothing above it"),
    "pubsub": GrantScope(title="scc-responder outcomes", grant="the outcome topic, and nothing above it"),
    "artifactregistry": GrantScope(
        title="scc-responder images", grant="each repository whose images' configurations it may read"
    ),
    "cloudkms": GrantScope(title="scc-responder signing", grant="the key that signs evidence, and nothing above it"),
}
"""By the service that a permission starts with; what changes Cloud Run is apart."""


class Need(Value, frozen=True, kw_only=True):
    """One permission and what needs it: `by` maps an action, or what else it is for, to the policies that ask for it.

    Of a Kubernetes permission, `resource`, `verb` and `tier` are its parts; of one of IAM's they are empty.
    """

    permission: str
    resource: str = ""
    verb: str = ""
    tier: Tier | None = None
    by: dict[str, tuple[str, ...]]


def enabled(policies: Iterable[Policy]) -> Iterator[tuple[str, str]]:
    """(policy, action) of every step that could be taken: of policies that are not disabled."""
    return (
        (policy.name, step.action) for policy in policies if policy.furthest != Mode.DISABLED for step in policy.then
    )


def condition_facts(policies: Iterable[Policy]) -> Iterator[tuple[str, AskedFact]]:
    """(policy, fact) of every fact that is read because a condition names it: of policies that are not disabled."""
    return (
        (policy.name, fact)
        for policy in policies
        if policy.furthest != Mode.DISABLED
        for fact in sorted(named_facts(policy.condition))
    )


def needed_by(policies: Sequence[Policy]) -> tuple[Need, ...]:
    """Every permission that the enabled ones of these policies need."""
    return needed(enabled(policies), condition_facts(policies))


def needed(steps: Iterable[tuple[str, str]], facts: Iterable[tuple[str, AskedFact]] = ()) -> tuple[Need, ...]:
    """Every permission that these (policy, action) and (policy, fact) need, those of Kubernetes first, each once."""
    by: dict[Permission, dict[str, dict[str, None]]] = {}
    for permission, reason, policy in chain(_uses(steps), _reads(facts)):
        policies = by.setdefault(permission, {}).setdefault(reason, {})
        policies |= {policy: None} if policy else {}
    return tuple(need_of(permission, by[permission]) for permission in sorted(by, key=_order))


def of_all_actions() -> tuple[Need, ...]:
    """What policies need that ask for every action and every fact there is."""
    return needed((("", action) for action in actions()), (("", fact) for fact in AskedFact))


def of_undo() -> tuple[Need, ...]:
    """What the identity of undo needs in a cluster: what `undo/undo_changes` and the undo of a freeze declare."""
    modules = [
        import_module(f"{undo_changes.__name__}.{module.name}") for module in iter_modules(undo_changes.__path__)
    ]
    kinds = [(module.__name__.rpartition(".")[2], each) for module in modules for each in vars(module).values()]
    by: dict[Permission, list[str]] = {}
    for name, kind in (*kinds, ("thaw_process", THAWS_PROCESS)):
        for permission in kind.permissions if isinstance(kind, ChangeKind) else ():
            by.setdefault(permission, []).append(name)
    return tuple(need_of(permission, dict.fromkeys(by[permission], ())) for permission in sorted(by, key=_order))


def _uses(steps: Iterable[tuple[str, str]]) -> Iterator[tuple[Permission, str, str]]:
    yield from ((permission, EVERY_FINDING, "") for permission in READ_PERMISSIONS)
    for name, reason in GOOGLE_READS.items():
        yield from ((permission, reason, "") for permission in iam(name))
    for policy, action in steps:
        yield from ((permission, action, policy) for permission in permissions_of(action))


def _reads(facts: Iterable[tuple[str, AskedFact]]) -> Iterator[tuple[Permission, str, str]]:
    for policy, fact in facts:
        yield from ((permission, f"conditions on {fact}", policy) for permission in ASKED_PERMISSIONS[fact])


def permissions_of(action: str) -> Permissions:
    """What an action needs: what it declares, and if it captures evidence, what the sources declare."""
    known = actions()[action]
    sources = (each for kind in known.makes for each in sources_for(kind))
    declared = merged(*(each.permissions for each in sources), known.permissions)
    changes_run = any(is_run_write(permission.name) for permission in declared)
    return merged(declared, iam(RUN_OPERATION) if changes_run else ())


def _order(permission: Permission) -> tuple[bool, str, str, int]:
    verb = permission.verb
    return (not verb, *rule_of(permission.name), VERBS.index(verb) if verb in VERBS else len(VERBS))


def need_of(permission: Permission, by: Mapping[str, Iterable[str]]) -> Need:
    """A permission, and what needs it."""
    return Need(
        permission=str(permission),
        resource=permission.name if permission.verb else "",
        verb=permission.verb,
        tier=permission.tier,
        by={reason: tuple(policies) for reason, policies in by.items()},
    )


def cluster_role(needs: Iterable[Need], name: str) -> dict[str, Any]:
    """The ClusterRole that grants the Kubernetes permissions among the needs."""
    verbs: dict[str, list[str]] = {}
    for need in needs:
        if need.verb:
            verbs.setdefault(need.resource, []).append(need.verb)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for resource, granted in verbs.items():
        group, plural = rule_of(resource)
        alike.setdefault((group, tuple(granted)), []).append(plural)
    rules = [
        {"apiGroups": [group], "resources": plurals, "verbs": list(granted)}
        for (group, granted), plurals in alike.items()
    ]
    return {**_rbac("ClusterRole", name), "rules": rules}


def cluster_role_binding(name: str, *users: str) -> dict[str, Any]:
    """The binding of that role to users: on GKE, the e-mail address and the unique id of one service account."""
    group = "rbac.authorization.k8s.io"
    return {
        **_rbac("ClusterRoleBinding", name),
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user} for user in users],
    }


def _rbac(kind: str, name: str) -> dict[str, Any]:
    return {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": {"name": name}}


def iam_roles(needs: Iterable[Need]) -> Sequence[tuple[GrantScope, dict[str, Any]]]:
    """A custom role for each place where IAM permissions among the needs are granted."""
    permissions = [need.permission for need in needs if not need.verb]
    found = []
    for service, place in GRANT_SCOPES.items():
        included = [permission for permission in permissions if _grant_scope(permission) == service]
        if included:
            found.append((place, {"title": place.title, "stage": "GA", "includedPermissions": included}))
    return found


def _grant_scope(permission: str) -> str:
    return _RUN_WRITES if is_run_write(permission) else permission.partition(".")[0]


def rule_of(resource: str) -> tuple[str, str]:
    """The API group and the resource, as a rule of a ClusterRole names them.

    >>> rule_of("networkpolicies.networking.k8s.io"), rule_of("pods/eviction"), rule_of("deployments.apps/scale")
    (('networking.k8s.io', 'networkpolicies'), ('', 'pods/eviction'), ('apps', 'deployments/scale'))
    """
    name, slash, subresource = resource.partition("/")
    plural, _, group = name.partition(".")
    return group, f"{plural}{slash}{subresource}"
