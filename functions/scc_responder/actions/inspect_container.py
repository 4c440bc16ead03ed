"""Action `inspect_container`."""

from __future__ import annotations

from scc_responder.actions import NoParams, Planned, Skip, action, without_pod
from scc_responder.domain.changes.inspect_container import INSPECTS_CONTAINER, InspectContainer
from scc_responder.domain.context import Context, Pod
from scc_responder.domain.finding import Finding, FindingFile
from scc_responder.domain.kubernetes.ephemeral_containers import LookRequest, WantedFile, request_argument
from scc_responder.domain.reasons import Reason

MOST_FILES = 16


@action(params=NoParams, makes=[INSPECTS_CONTAINER], needs_identity=True)
def inspect_container(context: Context, _params: NoParams) -> Planned:
    """Look into the finding's container: processes, sockets, mounts, changed files, packages, and its own files.

    A container of ours is put in beside it, from the image of `SCC_RESPONDER_COLLECTOR`; nothing of the workload is
    run. What it reads is kept as evidence, also the finding's binary, script and libraries as they are. After it,
    conditions know `artefact` and `compiler`, and are asked once more.

        then:
          - action: inspect_container
    """
    pod = context.pod
    if pod is None:
        return without_pod(context)
    container = _container(context.finding, pod)
    if not container:
        return Skip(reason=Reason.CONTAINER_ABSENT)
    request = request_argument(look_request(context.finding, pod, container))
    return [InspectContainer(namespace=pod.namespace, name=pod.name, uid=pod.uid, container=container, request=request)]


def _container(finding: Finding, pod: Pod) -> str:
    """The finding's container, if the pod has it, else the pod's only one; empty where nobody can tell."""
    names = [container.name for container in pod.containers]
    named = [container.name for container in finding.containers if container.name in names]
    return next(iter(named), names[0] if len(names) == 1 else "")


def look_request(finding: Finding, pod: Pod, container: str) -> LookRequest:
    """What the collector is to look for: what the finding says of its processes and files."""
    started = next((item.started_at for item in pod.containers if item.name == container), None)
    processes = finding.processes
    binaries = [_wanted(item.binary, item.binary_file, item.sha256) for item in processes]
    scripts = [_wanted(item.script, item.script_file) for item in processes]
    libraries = [_wanted(file.path, file) for item in processes for file in item.library_files]
    libraries += [_wanted(path, None) for item in processes for path in item.libraries]
    others = [_wanted(file.path, file) for file in finding.files]
    return LookRequest(
        binaries=_first([*binaries, *others]),
        scripts=_first(scripts),
        libraries=_first(libraries),
        args=tuple(word[:1024] for item in processes[:1] for word in item.args[:8]),
        pids=tuple(item.pid for item in processes if item.pid is not None)[:MOST_FILES],
        event_time=finding.event_time.isoformat(),
        started_at=started.isoformat() if started else "",
    )


def _wanted(path: str, file: FindingFile | None, sha256: str = "") -> WantedFile:
    if file is None:
        return WantedFile(path=path, sha256=sha256)
    sha256 = file.sha256 or sha256
    return WantedFile(path=file.path or path, sha256=sha256, hashed_size=file.hashed_size or 0, size=file.size or 0)


def _first(files: list[WantedFile]) -> tuple[WantedFile, ...]:
    """The files that have a path, each once, what says most of one first."""
    by_path: dict[str, WantedFile] = {}
    for file in files:
        if file.path and not (file.path in by_path and not file.sha256):
            by_path.setdefault(file.path, file)
    return tuple(by_path.values())[:MOST_FILES]
