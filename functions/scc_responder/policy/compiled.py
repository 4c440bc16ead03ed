"""The policies of a deployment, checked when its zip was made: the function starts without YAML or a check.

The compiled form stands beside its sources and holds for these very bytes alone; else the sources are read and checked.
Only a deployment trusts it: what people run at their desk reads the sources, and `functions/bundle.py` never packs one
that it has not made.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from scc_responder import __version__
from scc_responder.domain.value import StrictValue
from scc_responder.policy import cel
from scc_responder.policy.guardrails import Guardrails
from scc_responder.policy.policy_file import PolicyFile
from scc_responder.policy.policy_set import PolicySet, digest, load_policies, policy_set, read_policy_files

COMPILED_FILE = ".compiled.json"


class CompiledPolicies(StrictValue, frozen=True, kw_only=True):
    """Checked files. `digest` is their sources', `version` the package's that checked them."""

    digest: str
    version: str
    guardrails: Guardrails
    policies: tuple[PolicyFile, ...]


def compile_policies(folder: Path) -> bytes:
    """The folder's compiled form: the same sources make the same bytes. Raises PolicyError."""
    rails, files = read_policy_files(folder)
    compiled = CompiledPolicies(digest=digest(folder), version=__version__, guardrails=rails, policies=files)
    return msgspec.json.encode(compiled)


def load_deployed(folder: Path) -> PolicySet:
    """The folder's policies, from their compiled form where it is theirs. Raises PolicyError."""
    compiled = _compiled(folder / COMPILED_FILE)
    if compiled is None or (compiled.digest, compiled.version) != (digest(folder), __version__):
        return load_policies(folder)
    for file in compiled.policies:
        if file.condition:
            cel.compiled(file.condition)  # what cannot be evaluated here stops the start, not the first finding
    return policy_set(compiled.policies, compiled.guardrails, compiled.digest)


def _compiled(path: Path) -> CompiledPolicies | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=CompiledPolicies)
    except (OSError, msgspec.DecodeError):
        return None
