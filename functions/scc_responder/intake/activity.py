"""What a finding says was done: processes, files, connections, callers, indicators, contacts.

All of it is text that an attacker may have chosen; it is bounded in number and length, and made visible.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any

from scc_responder.domain.finding import Connection, FindingFile, Process
from scc_responder.domain.text import visible
from scc_responder.intake.fields import (
    distinct,
    enum,
    field,
    flag,
    integer,
    json_decoded,
    link,
    mapping,
    part,
    records,
    string,
    strings,
    text,
)

MAX_PROCESSES = 100
MAX_ARGS = 256
MAX_FILES = 64
MAX_CONNECTIONS = 100
MAX_INDICATORS = 256
MAX_CONTACTS = 64
MAX_LINKS = 32
MAX_MARKS = 64
MAX_TECHNIQUES = 64


def read_processes(finding: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[Process, ...]:
    """The processes, at most `MAX_PROCESSES`; the one of `sourceProperties` where there is no typed one."""
    typed = islice(records(field(finding, "processes")), MAX_PROCESSES)
    found = tuple(process for process in map(_process, typed) if process != Process())
    return found or _source_process(source)


def contradicts_process(processes: tuple[Process, ...], source: Mapping[str, Any]) -> bool:
    """Whether `sourceProperties` names a binary that is none of the typed processes'."""
    told = json_decoded(source.get("Process_Binary_Fullpath"))
    binaries = {process.binary for process in processes if process.binary}
    return bool(told and binaries and told not in binaries)


def _process(item: Mapping[str, Any]) -> Process:
    binary, script = _file(part(item, "binary")), _file(part(item, "script"))
    libraries = parse_files(field(item, "libraries"))
    return Process(
        name=text(item, "name"),
        binary=binary.path if binary else "",
        sha256=binary.sha256 if binary else "",
        args=_args(field(item, "args")),
        args_truncated=flag(field(item, "argumentsTruncated")) or _is_cut(field(item, "args")),
        pid=integer(field(item, "pid")),
        parent_pid=integer(field(item, "parentPid")),
        user_id=integer(field(item, "userId")),
        script=script.path if script else "",
        libraries=distinct((file.path for file in libraries), MAX_FILES),
        binary_file=binary,
        script_file=script,
        library_files=libraries,
    )


def _source_process(source: Mapping[str, Any]) -> tuple[Process, ...]:
    binary, library = (json_decoded(source.get(key)) for key in ("Process_Binary_Fullpath", "Added_Library_Fullpath"))
    process = Process(
        binary=binary,
        args=_args(source.get("Process_Arguments")),
        args_truncated=_is_cut(source.get("Process_Arguments")),
        pid=integer(source.get("Pid")),
        parent_pid=integer(source.get("Parent_Pid")),
        libraries=(library,) if library else (),
        binary_file=FindingFile(path=binary) if binary else None,
        library_files=(FindingFile(path=library),) if library else (),
    )
    return () if process == Process() else (process,)


def _args(value: object) -> tuple[str, ...]:
    return tuple(map(json_decoded, value[:MAX_ARGS])) if isinstance(value, list) else ()


def _is_cut(args: object) -> bool:
    return isinstance(args, list) and len(args) > MAX_ARGS


def cut_lists(finding: Mapping[str, Any]) -> tuple[str, ...]:
    """The lists of which the finding has more than is kept."""
    most = {"processes": MAX_PROCESSES, "files": MAX_FILES, "connections": MAX_CONNECTIONS}
    return tuple(name for name, number in most.items() if len(records(field(finding, name))) > number)


def parse_files(value: object) -> tuple[FindingFile, ...]:
    """The files of a list that say anything, at most `MAX_FILES`."""
    return tuple(islice(filter(None, map(_file, records(value))), MAX_FILES))


def _file(item: Mapping[str, Any]) -> FindingFile | None:
    size, hashed = integer(field(item, "size")), integer(field(item, "hashedSize"))
    file = FindingFile(
        path=json_decoded(field(item, "path")) or json_decoded(field(part(item, "diskPath"), "relativePath")),
        sha256=visible(text(item, "sha256").lower()),
        whole_file=size is not None and size == hashed and not flag(field(item, "partiallyHashed")),
        size=size,
        hashed_size=hashed,
        contents=json_decoded(field(item, "contents")),
        operations=distinct((enum(step, "type") for step in records(field(item, "operations"))), MAX_FILES),
    )
    return None if file == FindingFile() else file


def read_connections(finding: Mapping[str, Any]) -> tuple[Connection, ...]:
    """The network connections, at most `MAX_CONNECTIONS`."""
    items = islice(records(field(finding, "connections")), MAX_CONNECTIONS)
    return tuple(
        Connection(
            destination_ip=text(item, "destinationIp"),
            destination_port=integer(field(item, "destinationPort")) or 0,
            source_ip=text(item, "sourceIp"),
            source_port=integer(field(item, "sourcePort")) or 0,
            protocol=enum(item, "protocol"),
        )
        for item in items
    )


def read_indicators(finding: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[str, ...]:
    """What made the detector speak: addresses, domains, URIs, malware families, YARA rules, traces of a rootkit."""
    indicator = part(finding, "indicator")
    plain = (strings(field(indicator, name), MAX_INDICATORS) for name in ("ipAddresses", "domains", "uris"))
    return distinct(chain(*plain, _signatures(indicator), _rootkit(finding), _threats(source)), MAX_INDICATORS)


def _signatures(indicator: Mapping[str, Any]) -> Iterator[str]:
    for signature in records(field(indicator, "signatures")):
        yield text(part(signature, "yaraRuleSignature"), "yaraRule")
        yield text(part(signature, "memoryHashSignature"), "binaryFamily")


def _threats(source: Mapping[str, Any]) -> Iterator[str]:
    """What v1 findings of Virtual Machine Threat Detection say in place of signatures."""
    for threat in records(source.get("threats")):
        yield text(part(threat, "yara_rule_detector"), "yara_rule_name")
        yield text(part(threat, "memory_hash_detector"), "binary")


def _rootkit(finding: Mapping[str, Any]) -> Iterator[str]:
    """The rootkit's name, and the names of what was unexpected in the kernel."""
    rootkit = part(finding, "kernelRootkit")
    yield text(rootkit, "name")
    yield from (string(name) for name, found in islice(rootkit.items(), MAX_INDICATORS) if flag(found))


def read_techniques(attack: Mapping[str, Any]) -> tuple[str, ...]:
    """The techniques of `mitreAttack` as enum names, primary ones first."""
    names = ("primaryTechniques", "additionalTechniques")
    found = chain.from_iterable(strings(field(attack, name), MAX_TECHNIQUES) for name in names)
    return distinct((name for name in found if not name.endswith("_UNSPECIFIED")), MAX_TECHNIQUES)


def read_contacts(finding: Mapping[str, Any]) -> tuple[str, ...]:
    """The addresses of Essential Contacts, whatever they are contacts for."""
    groups = part(finding, "contacts").values()
    people = chain.from_iterable(records(field(mapping(group), "contacts")) for group in groups)
    return distinct((text(person, "email") for person in people), MAX_CONTACTS)


def read_links(finding: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[str, ...]:
    """The `https` addresses that the source gives: the console, log queries, MITRE, VirusTotal."""
    values = part(source, "contextUris").values()
    nested = chain.from_iterable(value if isinstance(value, list) else [value] for value in values)
    told = (field(item, "url") if isinstance(item, Mapping) else item for item in nested)
    return distinct(map(link, chain([field(finding, "externalUri")], told)), MAX_LINKS)


def read_marks(finding: Mapping[str, Any]) -> dict[str, str]:
    """Security marks, at most `MAX_MARKS`."""
    marks = part(part(finding, "securityMarks"), "marks")
    return {string(name): string(value) for name, value in islice(marks.items(), MAX_MARKS)}
