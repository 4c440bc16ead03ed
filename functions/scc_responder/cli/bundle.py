"""Make the zip of the function from a folder of policies, and beside it what goes with it.

    scc-responder bundle                                              # of policies/: dist/scc-responder.zip
    scc-responder bundle --policies policies --out dist/scc-responder.zip

Beside the zip stand permissions.json, which the Terraform module grants, and kubernetes/, which the owners of clusters
apply. What people fill in there, once, stays as it is: identity.yaml, forensic/collector.yaml, kustomization.yaml. The
same policies and the same version make the same zip, in a clone and from the wheel. Exit 2 if the policies cannot be
used: no zip is made then.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from scc_responder.cli.terminal import generated_files
from scc_responder.cli.terminal.policy_folder import USUAL_FOLDER, require_policies
from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.deployment import kustomization
from scc_responder.workbench.deployment.carried import Carried, carried
from scc_responder.workbench.deployment.deployed_zip import deployed_files, write_zip
from scc_responder.workbench.needed_permissions import needed_by
from scc_responder.workbench.policy_files.policy_file import load_policies

_FILLED_IN = frozenset({"identity.yaml", "collector.yaml", "kustomization.yaml"})
"""Files that a person completes: made once, and never written again."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `bundle`."""
    parser.add_argument("--policies", type=Path, default=USUAL_FOLDER, metavar="DIR", help="folder of policies")
    parser.add_argument(
        "--out", type=Path, default=Path("dist/scc-responder.zip"), metavar="ZIP", help="the zip to make"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Make the zip, and what goes with it; print the digest."""
    policies = load_policies(options.policies)
    require_policies(len(policies.policies), options.policies)
    if options.out.resolve().is_relative_to(options.policies.resolve()):
        why = f"--out {options.out}: it lies in the folder of policies, where manifests would be read as such"
        raise SettingsError("wrong_use", f"{why}; name a place beside {options.policies}")
    digest = write_zip(deployed_files(options.policies), options.out)
    needs = needed_by(policies.policies)
    listed, folder = options.out.with_name("permissions.json"), options.out.with_name("kubernetes")
    _lay_out(folder)
    made = kustomization.generated(folder, needs, policies.guardrails) | generated_files.iam_list(listed, needs)
    generated_files.write(made)
    if options.format == "json":
        told = {"zip": options.out, "sha256": digest, "permissions": listed, "kubernetes": folder}
        print(json.dumps({name: str(value) for name, value in told.items()}, indent=2))
    else:
        print(f"{options.out} sha256 {digest}")
    return 0


def _lay_out(folder: Path) -> None:
    """The manifests of this version in a folder, but for what somebody has filled in there."""
    shipped = carried(Carried.KUBERNETES)
    for path in sorted(shipped.rglob("*.yaml")):
        target = folder / path.relative_to(shipped)
        if not (target.exists() and target.name in _FILLED_IN):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
