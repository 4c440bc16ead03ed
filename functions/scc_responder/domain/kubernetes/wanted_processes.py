"""Which processes a finding means, and in which container, as the collector is asked for them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from scc_responder.domain.context import Pod
from scc_responder.domain.finding import Finding, FindingFile
from scc_responder.domain.kubernetes.ephemeral_containers import LookRequest, WantedFile, request_argument

_MOST = 16
"""Of each kind of file: the collector reads no more."""


def named_container(finding: Finding, pod: Pod) -> str:
    """The finding's container, if the pod has it, else the pod's only one; empty where nobody can tell."""
    names = [container.name for container in pod.containers]
    named = [container.name for container in finding.containers if container.name in names]
    return next(iter(named), names[0] if len(names) == 1 else "")


def process_request(finding: Finding, pod: Pod, container: str) -> str:
    """What the finding's processes are known by: files with their hashes, words, pids. In base64url."""
    started = next((item.started_at for item in pod.containers if item.name == container), None)
    processes = finding.processes
    libraries = [_wanted(file.path, file) for item in processes for file in item.library_files]
    return request_argument(
        LookRequest(
            binaries=_named(_wanted(item.binary, item.binary_file, item.sha256) for item in processes),
            scripts=_named(_wanted(item.script, item.script_file) for item in processes),
            libraries=_named(libraries),
            args=tuple(word[:1024] for item in processes[:1] for word in item.args[:8]),
            pids=tuple(item.pid for item in processes if item.pid is not None)[:_MOST],
            event_time=finding.event_time.isoformat(),
            started_at=started.isoformat() if started else "",
        )
    )


def _wanted(path: str, file: FindingFile | None, sha256: str = "") -> WantedFile:
    """A hash of a part is left out: its length is not known, and it would match nothing."""
    if file is None or not (file.whole_file and file.sha256):
        return WantedFile(path=path or (file.path if file else ""), sha256="" if file else sha256)
    return WantedFile(path=file.path or path, sha256=file.sha256, size=file.size or 0)


def _named(files: Iterable[WantedFile]) -> tuple[WantedFile, ...]:
    by_path = {file.path: file for file in files if file.path}
    return tuple(by_path.values())[:_MOST]
