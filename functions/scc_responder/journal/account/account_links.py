"""The links of an account. Each is made here, of parts that were checked: none is taken from a finding. Pure.

Sources: the console's address of a finding, as Security Command Center writes it into `externalUri`; of Logs Explorer,
as its button "Share link" makes it; `https://www.virustotal.com/gui/file/SHA256`; `https://attack.mitre.org`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scc_responder.domain.kubernetes.container_facts import Artefact
from scc_responder.domain.resource_names import FindingName
from scc_responder.domain.value import Value, read_json
from scc_responder.journal.account.case_facts import CaseFacts, NamedFile

_CONSOLE = "https://console.cloud.google.com"
_ANCESTORS = {"organizations": "organizationId", "folders": "folder", "projects": "project"}
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_TECHNIQUE = re.compile(r"(T[0-9]{4})(?:\.([0-9]{3}))?", re.ASCII)
_RUNBOOK = re.compile(r"https://cloud\.google\.com/[a-z0-9/-]{1,200}", re.ASCII)
_PROJECT = re.compile(r"[a-z0-9](?:[a-z0-9.:-]{0,98}[a-z0-9])?", re.ASCII)


class AccountLink(Value, frozen=True, kw_only=True):
    """Where to read on. `url` is made here of checked parts; where it is empty, `why` there is none."""

    title: str
    url: str = ""
    why: str = ""


def account_links(
    finding: str, threat: Mapping[str, Any], facts: CaseFacts, read: Artefact | None
) -> tuple[AccountLink, ...]:
    """The finding, its runbook, its logs, VirusTotal by each hash, and each technique by its name.

    `finding` is its name, `threat` as a case keeps it, `read` the file as a look into the container read it.
    """
    return (
        _finding(finding),
        *_runbook(str(threat.get("runbook", ""))),
        *_logs(facts),
        *_virus_total(read, facts),
        *_techniques(threat.get("techniques") or (), threat.get("techniques_inferred") or ()),
    )


@cache
def technique_names() -> dict[str, str]:
    """MITRE ATT&CK's names of the techniques by their ids, as far as a finding or the catalogue may state them."""
    names = Path(__file__).with_name("technique_names.json").read_bytes()
    return read_json(names, dict[str, str])


def _finding(name: str) -> AccountLink:
    if FindingName.parse(name) is None:
        return AccountLink(title="Finding", why="its name has not the form of one")
    kind, ancestor, *_ = name.split("/")
    where = f"{_ANCESTORS[kind]}={quote(ancestor, safe='')}"
    url = f"{_CONSOLE}/security/command-center/findingsv2;name={quote(name, safe='')}?{where}"
    return AccountLink(title="Finding", url=url)


def _runbook(url: str) -> Iterator[AccountLink]:
    if url:
        why = "" if _RUNBOOK.fullmatch(url) else "it is no page of Google Cloud"
        yield AccountLink(title="Runbook", url="" if why else url, why=why)


def _logs(facts: CaseFacts) -> Iterator[AccountLink]:
    if facts.logs and not _PROJECT.fullmatch(facts.project):
        yield AccountLink(title="Logs", why="the project of the logs is not known")
        return
    for name, question in facts.logs.items():
        url = f"{_CONSOLE}/logs/query;query={quote(question, safe='')}?project={quote(facts.project, safe='')}"
        yield AccountLink(title=f"Logs: {name}", url=url if question else "", why="" if question else "it asks nothing")


def _virus_total(read: Artefact | None, facts: CaseFacts) -> Iterator[AccountLink]:
    files = [file for program in facts.programs for file in program.files] + [*facts.files]
    if read and read.sha256:
        files.append(NamedFile(role="file", path=read.path, sha256=read.sha256, whole_file=True))
    for file in {file.sha256: file for file in files if file.sha256}.values():
        title = f"VirusTotal: {file.role}"
        if not file.whole_file:
            yield AccountLink(title=title, why="the hash is of a part of the file: VirusTotal knows whole files alone")
        elif not _HASH.fullmatch(file.sha256):
            yield AccountLink(title=title, why="it is no SHA-256")
        else:
            yield AccountLink(title=title, url=f"https://www.virustotal.com/gui/file/{file.sha256}")


def _techniques(stated: Sequence[str], inferred: Sequence[str]) -> Iterator[AccountLink]:
    for number, technique in enumerate((*stated, *inferred)):
        said = "" if number < len(stated) else ", by the catalogue"
        if match := _TECHNIQUE.fullmatch(str(technique)):
            name = technique_names().get(match[0], "a technique that this version has no name of")
            page = "/".join(filter(None, match.groups()))
            url = f"https://attack.mitre.org/techniques/{page}/"
            yield AccountLink(title=f"MITRE {match[0]}: {name}{said}", url=url)
        else:
            yield AccountLink(title="MITRE", why="a technique whose id this version does not know")
