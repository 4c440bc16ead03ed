"""What a finding says was done: read in full, bounded, and never trusted."""

from __future__ import annotations

from typing import Any

import pytest

from scc_responder.domain.finding import Connection, FindingFile, Process
from scc_responder.intake import activity

PROCESS = {
    "name": "kworkerd",
    "binary": {"path": '"/tmp/kworkerd"', "sha256": "AB", "size": "10", "hashedSize": 10},
    "script": {"path": "/tmp/run.sh", "contents": "echo"},
    "libraries": [{"path": "/tmp/a.so"}, {"diskPath": {"relativePath": "/tmp/b.so"}}, {}],
    "args": ['"/tmp/kworkerd"', "-x"],
    "argumentsTruncated": True,
    "pid": "7",
    "parentPid": 1,
    "userId": 1000,
}


def test_a_process_is_read_in_full() -> None:
    """Binary, script, libraries, arguments and numbers; a hash of the whole file is told apart from one of a prefix."""
    (process,) = activity.read_processes({"processes": [PROCESS, {}]}, {})
    assert (process.binary, process.sha256, process.script) == ("/tmp/kworkerd", "ab", "/tmp/run.sh")
    assert (process.args, process.args_truncated) == (("/tmp/kworkerd", "-x"), True)
    assert (process.pid, process.parent_pid, process.user_id) == (7, 1, 1000)
    assert process.libraries == ("/tmp/a.so", "/tmp/b.so")
    assert process.binary_file == FindingFile(
        path="/tmp/kworkerd", sha256="ab", whole_file=True, size=10, hashed_size=10
    )


def test_source_properties_stand_in_for_processes() -> None:
    """Only where no typed process says anything."""
    source: dict[str, Any] = {
        "Process_Binary_Fullpath": "/tmp/x",
        "Added_Library_Fullpath": "/tmp/l.so",
        "Process_Arguments": ["/tmp/x"],
        "Pid": 3.0,
        "Parent_Pid": "1",
    }
    (process,) = activity.read_processes({}, source)
    assert (process.binary, process.args, process.pid, process.libraries) == ("/tmp/x", ("/tmp/x",), 3, ("/tmp/l.so",))
    assert activity.read_processes({"processes": [PROCESS]}, source)[0].binary == "/tmp/kworkerd"
    assert activity.read_processes({}, {}) == ()


@pytest.mark.parametrize(("told", "contradicts"), [("/tmp/kworkerd", False), ("/tmp/other", True), ("", False)])
def test_another_binary_contradicts_the_process(told: str, contradicts: bool) -> None:
    """Only what both name can disagree."""
    processes = (Process(binary="/tmp/kworkerd"), Process())
    assert activity.contradicts_process(processes, {"Process_Binary_Fullpath": told}) is contradicts
    assert not activity.contradicts_process((), {"Process_Binary_Fullpath": told})


def test_files_tell_what_was_done_to_them() -> None:
    """Operations are named once each; a file that says nothing is none."""
    steps = [{"type": "WRITE"}, {"type": "WRITE"}, {"type": "EXECUTE"}, {"type": "OPERATION_TYPE_UNSPECIFIED"}]
    (file,) = activity.parse_files([{"path": "/a", "operations": steps, "partiallyHashed": True}, {}])
    assert (file.operations, file.whole_file) == (("WRITE", "EXECUTE"), False)


def test_connections_are_read_and_bounded() -> None:
    """Each with its ports; no more than the bound."""
    item = {"destinationIp": "192.0.2.7", "destinationPort": "443", "sourceIp": "10.0.0.1", "protocol": "TCP"}
    found = activity.read_connections({"connections": [item] * (activity.MAX_CONNECTIONS + 1)})
    expected = Connection(destination_ip="192.0.2.7", destination_port=443, source_ip="10.0.0.1", protocol="TCP")
    assert found == (expected,) * activity.MAX_CONNECTIONS


def test_indicators_come_from_every_place() -> None:
    """Addresses, domains, URIs, signatures, v1's threats, and what a rootkit left."""
    finding = {
        "indicator": {
            "ipAddresses": ["192.0.2.7"],
            "domains": ["pool.example.com"],
            "uris": ["https://example.com/x"],
            "signatures": [
                {"yaraRuleSignature": {"yaraRule": "YARA_1"}},
                {"memoryHashSignature": {"binaryFamily": "XMRig"}},
            ],
        },
        "kernelRootkit": {"name": "Diamorphine", "unexpectedCodeModification": True, "unexpectedFtraceHandler": False},
    }
    source = {
        "threats": [{"yara_rule_detector": {"yara_rule_name": "YARA_2"}}, {"memory_hash_detector": {"binary": "b"}}]
    }
    assert activity.read_indicators(finding, source) == (
        "192.0.2.7",
        "pool.example.com",
        "https://example.com/x",
        "YARA_1",
        "XMRig",
        "Diamorphine",
        "unexpectedCodeModification",
        "YARA_2",
        "b",
    )


def test_techniques_contacts_links_and_marks_are_read() -> None:
    """Each list without what is unspecified, empty or no address."""
    attack = {"primaryTechniques": ["T1", "TECHNIQUE_UNSPECIFIED"], "additionalTechniques": ["T2", "T1"]}
    assert activity.read_techniques(attack) == ("T1", "T2")
    contacts = {"SECURITY": {"contacts": [{"email": "a@example.com"}, {}]}, "OTHER": {"contacts": None}}
    assert activity.read_contacts({"contacts": contacts}) == ("a@example.com",)
    source = {"contextUris": {"a": {"url": "https://example.com/a"}, "b": ["https://example.com/b", "ftp://x"]}}
    assert activity.read_links({"externalUri": "https://example.com"}, source) == (
        "https://example.com",
        "https://example.com/a",
        "https://example.com/b",
    )
    assert activity.read_marks({"securityMarks": {"marks": {"team": "shop"}}}) == {"team": "shop"}


@pytest.mark.parametrize(
    ("field", "most"),
    [("processes", activity.MAX_PROCESSES), ("files", activity.MAX_FILES), ("connections", activity.MAX_CONNECTIONS)],
)
def test_a_list_that_is_cut_says_so(field: str, most: int) -> None:
    """What is left out could be anything: the list's name is kept, so that no condition takes it for whole."""
    assert activity.cut_lists({field: [{}] * most}) == ()
    assert activity.cut_lists({field: [{}] * (most + 1)}) == (field,)


@pytest.mark.parametrize("count", [activity.MAX_ARGS, activity.MAX_ARGS + 1])
def test_arguments_that_are_cut_here_say_so(count: int) -> None:
    """As those that Google cut."""
    args = ["x"] * count
    (typed,) = activity.read_processes({"processes": [{"args": args}]}, {})
    (source,) = activity.read_processes({}, {"Process_Arguments": args})
    assert (typed.args_truncated, source.args_truncated) == (count > activity.MAX_ARGS,) * 2
