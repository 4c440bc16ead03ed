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


def look_request(finding: Finding, pod: Pod, container: str) -> str:
    """What the collector is asked for: the finding's files with their hashes, words, pids. In base64url.

    A step that freezes and one that looks share a container, and so ask for the same.
    """
    started = next((item.started_at for item in pod.containers if item.name == container), None)
    processes = finding.processes
    binaries = [_wanted(item.binary, item.binary_file, item.sha256) for item in processes]
    libraries = [_wanted(file.path, file) for item in processes for file in item.library_files]
    libraries += [_wanted(path, None) for item in processes for path in item.libraries]
    return request_argument(
        LookRequest(
            binaries=_first([*binaries, *(_wanted(file.path, file) for file in finding.files)]),
            scripts=_first(_wanted(item.script, item.script_file) for item in processes),
            libraries=_first(libraries),
            args=tuple(word[:1024] for item in processes[:1] for word in item.args[:8]),
            pids=tuple(item.pid for item in processes if item.pid is not None)[:_MOST],
            event_time=finding.event_time.isoformat(),
            started_at=started.isoformat() if started else "",
        )
    )


def _wanted(path: str, file: FindingFile | None, sha256: str = "") -> WantedFile:
    """A hash of a part whose length is not known is left out: it would match nothing, and be told as another file."""
    if file is None:
        return WantedFile(path=path, sha256=sha256)
    hashed, size = file.hashed_size or 0, file.size or 0
    is_usable = file.whole_file or 0 < hashed < size or not (hashed or size)
    sha256 = (file.sha256 or sha256) if is_usable else ""
    return WantedFile(path=file.path or path, sha256=sha256, hashed_size=hashed, size=size)


def _first(files: Iterable[WantedFile]) -> tuple[WantedFile, ...]:
    """The files that have a path, each once: as it is named with a hash, where it is."""
    by_path: dict[str, WantedFile] = {}
    for file in files:
        known = by_path.get(file.path)
        if file.path and (known is None or (file.sha256 and not known.sha256)):
            by_path[file.path] = file
    return tuple(by_path.values())[:_MOST]
