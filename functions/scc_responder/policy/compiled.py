"""The policies of a deployment, checked when its zip was made: the function starts without YAML and without checks.

The compiled form stands beside its sources and holds for these very bytes alone. Only a deployment trusts it: commands
on a person's machine read the sources, and `scc-responder bundle` never packs one that it has not made.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from scc_responder import __version__
from scc_responder.domain.errors import PolicyError
from scc_responder.domain.value import StrictValue, read_json
from scc_responder.policy import cel
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_set import Policy, PolicySet, digest

if TYPE_CHECKING:
    from scc_responder.policy.routes import Routes

COMPILED_FILE = ".compiled.json"
_NO_ROUTES = msgspec.Raw(b"null")
_REMEDY = "make the zip anew with `make bundle`; on this machine, start the function with `scc-responder serve`"


class CompiledPolicies(StrictValue, frozen=True, kw_only=True):
    """Checked files. `digest` is their sources', `version` the package's that checked them.

    `routes` are read where there are any: they decide nothing.
    """

    digest: str
    version: str
    guardrails: Guardrails
    policies: tuple[Policy, ...]
    routes: msgspec.Raw = _NO_ROUTES


def load_deployed(folder: Path) -> PolicySet:
    """The folder's policies, from their compiled form. Raises PolicyError where there is none, or it is not theirs."""
    path = folder / COMPILED_FILE
    compiled = _read(path)
    if compiled.version != __version__:
        raise _refusal(path, f"made by version {compiled.version}, this is {__version__}")
    if compiled.digest != digest(folder):
        raise _refusal(path, "made from other policies than those beside it")
    for policy in compiled.policies:
        # What cannot be evaluated here stops the start, not the first finding.
        if policy.condition:
            cel.compiled(policy.condition)
        for step in policy.then:
            step.params  # noqa: B018
    return PolicySet(
        policies=compiled.policies,
        guardrails=compiled.guardrails,
        digest=compiled.digest,
        routes=None if compiled.routes == _NO_ROUTES else _read_routes(path, compiled.routes),
    )


def _read_routes(path: Path, routes: msgspec.Raw) -> Routes:
    from scc_responder.policy.routes import Routes  # noqa: PLC0415 - cold start

    try:
        return read_json(routes, Routes)
    except msgspec.DecodeError as error:
        raise _refusal(path, str(error)) from error


def _read(path: Path) -> CompiledPolicies:
    try:
        return read_json(path.read_bytes(), CompiledPolicies)
    except OSError as error:
        raise _refusal(path, str(error.strerror)) from error
    except msgspec.DecodeError as error:
        raise _refusal(path, str(error)) from error


def _refusal(path: Path, problem: str) -> PolicyError:
    return PolicyError("policies_not_compiled", f"{path}: {problem}; {_REMEDY}")
