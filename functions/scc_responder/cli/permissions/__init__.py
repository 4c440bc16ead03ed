"""Say which permissions the enabled policies need, and which policy and action needs each.

text: a table. rbac: a ClusterRole for `kubectl apply -f -`, with --user its binding too. iam: custom roles, one for
each place where they are granted, for `gcloud iam roles create ID --file FILE`. A policy in dry run needs what it would
need to enforce: its requests are sent with dryRun=All, and are authorized like any other. A disabled one needs nothing.

With --kustomization, what stands in terraform/kubernetes is written anew: the roles, and the guardrails' lists in the
admission policy. With --iam, so is what the Terraform module grants, terraform/permissions.json. --check only says
whether they are what policies and guardrails ask for, and exits with 1 if not.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.cli.terminal import generated_files
from scc_responder.cli.terminal.policy_folder import require_policies
from scc_responder.cli.terminal.terminal import styled, visible_lines
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.mode import Mode
from scc_responder.domain.permissions import ACT_AS
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.deployment import kustomization
from scc_responder.workbench.needed_permissions import (
    EVERY_FINDING,
    Need,
    cluster_role,
    cluster_role_binding,
    iam_roles,
    needed_by,
)
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.variable_permissions import (
    ACT_AS_WARNING,
    ASKED_BY_VARIABLE,
    RUN_WRITES,
    acting_as,
    always_granted,
    by_variable,
)

_POLICIES = Path("policies")
_NAME = "scc-responder"
_WIDTH = 100
_NAMED = 3
"""Policies that the table names before it only counts them; JSON names all."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `permissions`."""
    parser.add_argument("--policies", type=Path, default=_POLICIES, metavar="DIR", help="folder of policies")
    parser.add_argument("--format", choices=("text", "iam", "rbac", "json"), default="text", help="what to print")
    parser.add_argument("--name", help=f"with rbac: name of the ClusterRole (default: {_NAME})")
    parser.add_argument(
        "--user",
        action="append",
        default=[],
        metavar="NAME",
        help="with rbac: bind it to this service account; once for its e-mail address, once for its unique id",
    )
    parser.add_argument("--connect-gateway", action="store_true", help="with iam: what Connect Gateway asks for, too")
    parser.add_argument(
        "--signing", action="store_true", help="with iam: what signing evidence in Cloud KMS asks for, too"
    )
    parser.add_argument(
        "--cloud-run",
        action="store_true",
        dest="cloud_run_projects",
        help="with iam: what evidence of Cloud Run asks for, too",
    )
    parser.add_argument(
        "--cloud-monitoring",
        action="store_true",
        help="with iam: what the number of instances and requests of a service asks for, too",
    )
    parser.add_argument(
        "--collector",
        action="store_true",
        dest="collector_image",
        help="with iam: what doctor asks of the collector's log, too",
    )
    parser.add_argument(
        "--external-system", action="store_true", help="with iam: what showing a case beside its finding asks for, too"
    )
    parser.add_argument(
        "--essential-contacts", action="store_true", help="with iam: what telling a project's contacts asks for, too"
    )
    parser.add_argument(
        "--kustomization", type=Path, metavar="DIR", help="write the roles and lists of the kustomization in DIR"
    )
    parser.add_argument("--iam", type=Path, metavar="FILE", help="write the list of IAM permissions in FILE")
    parser.add_argument("--check", action="store_true", help="with these two: say what differs, write nothing")


def run(options: argparse.Namespace) -> int:
    """Print the permissions, or write or compare the files that follow from them."""
    _refuse_what_would_be_ignored(options)
    policies = load_policies(options.policies)
    require_policies(len(policies.policies), options.policies)
    needs = needed_by(policies.policies)
    if options.kustomization or options.iam:
        return _generate(options, needs, policies.guardrails)
    if options.format == "json":
        print(json.dumps(_document(policies, needs), indent=2))
    elif options.format == "rbac":
        print(kustomization.as_yaml(_roles(needs, options)), end="")
    elif options.format == "iam":
        asked = [need for variable, of in ASKED_BY_VARIABLE.items() if getattr(options, variable) for need in of()]
        print(_iam([*needs, *asked]), end="")
    else:
        print("\n".join(_text(policies, needs)))
    return 0


def _refuse_what_would_be_ignored(options: argparse.Namespace) -> None:
    """An option without effect is a mistake: a check that checks nothing would pass for ever."""
    files = bool(options.kustomization or options.iam)
    rows = (
        ("--check", options.check, files, "--kustomization DIR or --iam FILE"),
        ("--user", options.user, options.format == "rbac", "--format rbac"),
        ("--name", options.name is not None, options.format == "rbac", "--format rbac"),
        ("--connect-gateway", options.connect_gateway, options.format == "iam", "--format iam"),
        ("--signing", options.signing, options.format == "iam", "--format iam"),
        ("--cloud-run", options.cloud_run_projects, options.format == "iam", "--format iam"),
        ("--cloud-monitoring", options.cloud_monitoring, options.format == "iam", "--format iam"),
        ("--collector", options.collector_image, options.format == "iam", "--format iam"),
        ("--external-system", options.external_system, options.format == "iam", "--format iam"),
        ("--essential-contacts", options.essential_contacts, options.format == "iam", "--format iam"),
        (f"--format {options.format}", files, options.format in {"text", "json"}, "neither --kustomization nor --iam"),
    )
    for option, is_given, has_effect, needed_with in rows:
        if is_given and not has_effect:
            raise SettingsError("wrong_use", f"{option} has no effect here: give it with {needed_with}")


def _generate(options: argparse.Namespace, needs: Sequence[Need], guardrails: Guardrails) -> int:
    """Write the files that were named, or compare them."""
    files: dict[Path, str] = {}
    command = ["scc-responder", "permissions"]
    command += [] if options.policies == _POLICIES else ["--policies", str(options.policies)]
    if options.kustomization:
        files |= kustomization.generated(options.kustomization, needs, guardrails)
        command += ["--kustomization", str(options.kustomization)]
    if options.iam:
        files |= generated_files.iam_list(options.iam, needs)
        command += ["--iam", str(options.iam)]
    found = generated_files.compare_files(files) if options.check else generated_files.write(files)
    if options.format == "json":
        print(json.dumps({"files": msgspec.to_builtins(found)}, indent=2))
    else:
        print("".join(f"{visible_lines(line)}\n" for one in found for line in one.difference), end="")
    if not any(one.result == "differs" for one in found):
        return 0
    print(f"not what policies and guardrails ask for; run: {shlex.join(command)}", file=sys.stderr)
    return 1


def _document(policies: PolicySet, needs: Sequence[Need]) -> dict[str, Any]:
    warning = acting_as(needs)
    return {
        "policies": {policy.name: str(policy.furthest) for policy in policies.policies},
        "kubernetes": [msgspec.to_builtins(need) for need in needs if need.verb],
        "iam": [_of_iam(need) for need in always_granted(needs)],
        **{variable: [_of_iam(need) for need in asked] for variable, asked in by_variable(needs).items()},
        **({"act_as": {**_of_iam(warning), "why": ACT_AS_WARNING}} if warning else {}),
    }


def _of_iam(need: Need) -> dict[str, Any]:
    return {"permission": need.permission, "by": need.by}


def _roles(needs: Sequence[Need], options: argparse.Namespace) -> list[dict[str, Any]]:
    name = options.name or _NAME
    objects = [cluster_role(needs, name)]
    if options.user:
        objects.append(cluster_role_binding(name, *options.user))
    return objects


def _iam(needs: Sequence[Need]) -> str:
    roles = [f"# Grant on {place.grant}.\n{kustomization.as_yaml([role])}" for place, role in iam_roles(needs)]
    warning = textwrap.wrap(f"{ACT_AS}, on the identity of a service: {ACT_AS_WARNING}", _WIDTH)
    roles += ["".join(f"# {line}\n" for line in warning)] if acting_as(needs) else []
    return "---\n".join(roles)


def _text(policies: PolicySet, needs: Sequence[Need]) -> Iterator[str]:
    off = [policy.name for policy in policies.policies if policy.furthest == Mode.DISABLED]
    on_request = {variable: asked for variable, asked in by_variable(needs).items() if asked}
    width = max(len(need.permission) for need in [*needs, *chain(*on_request.values())]) + 2
    yield styled(f"{'Kubernetes (RBAC)':<{width}}  needed by", "bold")
    yield from _rows([need for need in needs if need.verb], width)
    yield ""
    yield styled(f"{'Google Cloud (IAM)':<{width}}  needed by", "bold")
    yield from _rows(always_granted(needs), width)
    yield ""
    for variable, asked in on_request.items():
        yield styled(f"Google Cloud (IAM), only where {variable} is set", "bold")
        yield from _rows(asked, width)
        if variable == RUN_WRITES:
            yield from _acting_as(asked, width)
        yield ""
    on = len(policies.policies) - len(off)
    yield styled(f"{on} policies are enabled, {len(off)} disabled. In dry run a policy needs the same.", "dim")


def _rows(needs: Sequence[Need], width: int) -> Iterator[str]:
    room = max(30, min(_WIDTH, shutil.get_terminal_size((_WIDTH, 0)).columns) - width - 2)
    for need in needs:
        told = [f"{reason} ({_shortened(names)})" if names else reason for reason, names in need.by.items()]
        # What every finding needs is needed whatever else needs it.
        told = [EVERY_FINDING] if EVERY_FINDING in need.by else told
        first, *rest = textwrap.wrap("; ".join(told), room, break_long_words=False, break_on_hyphens=False)
        yield f"  {need.permission:<{width}}{styled(first, 'dim')}"
        yield from (f"  {'':<{width}}{styled(line, 'dim')}" for line in rest)


def _acting_as(asked: Sequence[Need], width: int) -> Iterator[str]:
    need = acting_as(asked)
    if need:
        yield from _rows([need], width)
        yield from (styled(f"    {line}", "yellow") for line in textwrap.wrap(ACT_AS_WARNING, _WIDTH - 4))


def _shortened(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
