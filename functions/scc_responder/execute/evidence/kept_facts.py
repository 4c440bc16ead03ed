"""What a case keeps of its finding and target: bounded, and without secrets, as in evidence. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from scc_responder.domain.context import Context
from scc_responder.domain.finding import Connection, Finding, FindingFile, Process
from scc_responder.domain.notices.routed_notice import mailbox
from scc_responder.domain.text import visible
from scc_responder.execute.evidence.log_filters import log_project, log_questions
from scc_responder.execute.evidence.secret_text import redact_text, redact_words
from scc_responder.journal.account.case_facts import CaseFacts, NamedContainer, NamedFile, RanProgram
from scc_responder.journal.account.owner import actors_of, deployer, owner_labels

_MOST = {"processes": 4, "files": 8, "libraries": 8}
_MOST_OTHER = 16
_COMMAND, _TEXT = 2000, 500
"""The longest a command line and any other text may be, in bytes."""

_T = TypeVar("_T")


def kept_facts(context: Context, project_contacts: Iterable[str] = ()) -> CaseFacts:
    """The facts of the case. `project_contacts` are those of Essential Contacts, as far as they were asked for."""
    finding, pod = context.finding, context.pod
    running = context.revision or context.service or context.execution or context.job
    people = (deployer(context), *finding.contacts, *project_contacts)
    account = f"{pod.namespace}/{pod.service_account or 'default'}" if pod else ""
    return CaseFacts(
        pods=_texts(f"{pod.namespace}/{pod.name}" for pod in finding.pods),
        node=_text(finding.node),
        programs=tuple(_program(process) for process in _first(finding.processes, "processes")),
        files=tuple(_file("file", file) for file in _first(finding.files, "files")),
        containers=tuple(
            NamedContainer(name=_text(item.name), image=_text(item.image), digest=_text(item.digest))
            for item in _first(finding.containers)
        ),
        connections=_texts(map(_connection, finding.connections)),
        indicators=_texts(finding.indicators),
        account=_text(account or (running.service_account if running else "")),
        principal=_text(finding.principal or finding.principal_subject),
        caller=_text(finding.caller_ip),
        method=_text(finding.method_name),
        labels=_texts(f"{key}={value} ({place})" for key, value, place in owner_labels(context)),
        contacts=_texts(finding.contacts),
        deployer=_text(deployer(context)),
        project_contacts=_texts(project_contacts),
        untold=_texts(item for item in people if mailbox(item) in actors_of(context)),
        related=_first(context.related or ()),
        project=log_project(context),
        logs={name: text for asked in log_questions(context).values() for name, text in asked.items()},
        cut=tuple(dict.fromkeys((*finding.truncated, *_cut(finding)))),
    )


def _program(process: Process) -> RanProgram:
    words = shlex.join(word for word, _ in redact_words(process.args))
    more = " [more arguments]" if process.args_truncated else ""
    parts = [(_of(process.binary_file, process.binary, process.sha256), "program")]
    parts += [(_of(process.script_file, process.script), "script")]
    libraries = process.library_files or tuple(FindingFile(path=path) for path in process.libraries)
    parts += [(file, "library") for file in _first(libraries, "libraries")]
    files = tuple(_file(role, file) for file, role in parts if file.path or file.sha256)
    return RanProgram(command=visible(f"{words}{more}".strip(), _COMMAND), user_id=process.user_id, files=files)


def _of(file: FindingFile | None, path: str, sha256: str = "") -> FindingFile:
    return file or FindingFile(path=path, sha256=sha256)


def _file(role: str, file: FindingFile) -> NamedFile:
    return NamedFile(
        role=role,
        path=_text(file.path),
        sha256=_text(file.sha256),
        whole_file=file.whole_file,
        hashed_size=file.hashed_size,
    )


def _connection(item: Connection) -> str:
    port = f":{item.destination_port}" if item.destination_port else ""
    return f"{item.protocol or 'connection'} to {item.destination_ip or 'an address that is not named'}{port}"


def _cut(finding: Finding) -> Iterator[str]:
    lists: dict[str, Sequence[Any]] = {"processes": finding.processes, "files": finding.files}
    lists |= {"containers": finding.containers, "connections": finding.connections}
    yield from (name for name, items in lists.items() if len(items) > _MOST.get(name, _MOST_OTHER))
    if any(len(process.library_files or process.libraries) > _MOST["libraries"] for process in finding.processes):
        yield "libraries"


def _first(items: Sequence[_T], name: str = "") -> tuple[_T, ...]:
    return tuple(items[: _MOST.get(name, _MOST_OTHER)])


def _texts(texts: Iterable[str]) -> tuple[str, ...]:
    kept = dict.fromkeys(_text(text) for text in texts if text)
    return _first(tuple(kept))


def _text(text: str) -> str:
    """The text without secrets, and bounded."""
    return visible(redact_text(text, opaque=False)[0], _TEXT)
