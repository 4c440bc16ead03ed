"""What a case keeps of its finding and its target beside the decision: an account of it is made from that. Pure.

`kept_facts` makes it, and leaves secrets out. Most of its texts may be an attacker's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.value import Value, resolved


class NamedFile(Value, frozen=True, kw_only=True):
    """A file of the finding. `role` is `program`, `script`, `library` or `file`.

    `whole_file`: the hash is of all of it. `hashed_size`: of how many bytes from its beginning it is.
    """

    role: str
    path: str
    sha256: str = ""
    whole_file: bool = False
    hashed_size: int | None = None


class RanProgram(Value, frozen=True, kw_only=True):
    """A process of the finding. `command` is its command line without secrets, quoted as a shell takes it."""

    command: str = ""
    user_id: int | None = None
    files: tuple[NamedFile, ...] = ()


class NamedContainer(Value, frozen=True, kw_only=True):
    """A container of the finding. `digest` is `sha256:...`, empty where nothing says it."""

    name: str
    image: str = ""
    digest: str = ""


class CaseFacts(Value, frozen=True, kw_only=True):
    """What is kept. Empty is what finding and target do not say.

    `pods` are `NAMESPACE/NAME`, `connections` and `labels` are texts such as `tcp to 203.0.113.7:4444` and
    `team=shop (namespace)`. `account` is the service account that the target runs as; `principal`, `caller` and
    `method` are who did what from where in a finding about the control plane. `deployer` changed the workload last;
    `project_contacts` are those of Essential Contacts, `untold` who of all these is that principal. `project` is the
    project of the logs, `logs` the questions to them by their names, in the query language of Cloud Logging. `cut`:
    lists that had more.
    """

    pods: tuple[str, ...] = ()
    node: str = ""
    programs: tuple[RanProgram, ...] = ()
    files: tuple[NamedFile, ...] = ()
    containers: tuple[NamedContainer, ...] = ()
    connections: tuple[str, ...] = ()
    indicators: tuple[str, ...] = ()
    account: str = ""
    principal: str = ""
    caller: str = ""
    method: str = ""
    labels: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    project_contacts: tuple[str, ...] = ()
    deployer: str = ""
    untold: tuple[str, ...] = ()
    related: tuple[RelatedFinding, ...] = ()
    project: str = ""
    logs: dict[str, str] = {}
    cut: tuple[str, ...] = ()


def facts_in(decision: Mapping[str, Any]) -> CaseFacts | None:
    """The facts in what a case keeps of its decision; None where it keeps none."""
    kept = decision.get("facts")
    return msgspec.convert(kept, resolved(CaseFacts)) if kept else None
