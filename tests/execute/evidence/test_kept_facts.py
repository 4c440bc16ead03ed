"""What a case keeps of its finding and target: bounded, without secrets, and enough for its account."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from msgspec.structs import replace

from scc_responder.domain.context import Cluster, Context, Namespace
from scc_responder.domain.finding import ClusterRef, Connection, Finding, FindingFile, Process
from scc_responder.execute.evidence.kept_facts import kept_facts
from scc_responder.journal.account.case_facts import CaseFacts
from tests.kits.decision_contexts import context
from tests.kits.hostile_accounts import TEXT, THOUSAND

SECRET = "hunter2hunter2"


def facts(**finding: Any) -> CaseFacts:
    known = context()
    return kept_facts(replace(known, finding=replace(known.finding, **finding)))


def test_the_command_line_has_no_secret() -> None:
    """As in evidence: the value of an option, beside it or after it."""
    words = ("/tmp/x", "--password", SECRET, f"--token={SECRET}", "-u", "a b")
    (program,) = facts(processes=(Process(binary="/tmp/x", args=words),)).programs
    assert program.command == "/tmp/x --password redacted --token=redacted -u 'a b'"


def test_other_texts_have_no_secret_either() -> None:
    """A path or an image's name may hold one."""
    kept = facts(
        processes=(Process(binary=f"/tmp/x?password={SECRET}"),),
        files=(FindingFile(path=f"/tmp/token={SECRET}"),),
        indicators=(f"https://a:{SECRET}@example.com",),
        method_name=f"token={SECRET}",
    )
    assert SECRET not in msgspec.json.encode(kept).decode()


@pytest.mark.parametrize("name", ["processes", "files", "connections"])
def test_a_list_that_is_cut_is_named(name: str) -> None:
    """What is kept fits into the record beside its steps, however much an attacker makes."""
    item = {
        "processes": Process(binary="/tmp/" + "x" * 4000, args=("y" * 4000,) * 100),
        "files": FindingFile(path="/tmp/" + "x" * 4000),
        "connections": Connection(destination_ip="203.0.113.7", destination_port=1),
    }[name]
    kept = facts(**{name: (item,) * 200})
    assert kept.cut == (name,)
    assert len(msgspec.json.encode(kept)) < 24_000


def test_owners_are_named_nearest_first() -> None:
    """By their labels, whatever stands before the key; other labels are not kept."""
    known = context(pod={"labels": {"app": "web", "example.com/team": "shop"}})
    space = Namespace(name="shop", uid="n", annotations={"owner": "payments"})
    cluster = Cluster(
        ref=ClusterRef(project="example-project", location="europe-west1", name="c"), labels={"Contact": "soc"}
    )
    kept = kept_facts(replace(known, namespace=space, cluster=cluster))
    assert kept.labels == ("example.com/team=shop (pod)", "owner=payments (namespace)", "Contact=soc (cluster)")


def test_who_did_it_is_kept_as_one_who_is_not_told() -> None:
    """However a contact spells the principal; the others are."""
    kept = facts(principal="mallory@example.com", contacts=("Mallory@example.com", "soc@example.com"))
    assert (kept.contacts, kept.untold) == (("Mallory@example.com", "soc@example.com"), ("Mallory@example.com",))


def test_files_say_their_role_and_what_their_hash_is_of() -> None:
    """Program, script and libraries; a path without more is kept too."""
    program = FindingFile(path="/bin/python3", sha256="ab" * 32, whole_file=True)
    process = Process(binary_file=program, script="/tmp/a.py", libraries=("/tmp/l.so",), user_id=1000)
    (kept,) = facts(processes=(process,)).programs
    assert [(file.role, file.path, file.whole_file) for file in kept.files] == [
        ("program", "/bin/python3", True),
        ("script", "/tmp/a.py", False),
        ("library", "/tmp/l.so", False),
    ]


@THOUSAND
@given(TEXT)
def test_hostile_findings_are_kept_bounded_and_as_they_can_be_read(text: str) -> None:
    """No text makes the facts larger than a record can hold, nor a form that is not read back."""
    many = Process(binary=text, args=(text,) * 50, script=text, libraries=(text,) * 50)
    known = context()
    finding: Finding = replace(known.finding, processes=(many,) * 50, contacts=(text,) * 50, indicators=(text,) * 50)
    made: Context = replace(known, finding=finding)
    data = msgspec.json.encode(kept_facts(made))
    assert len(data) < 40_000
    assert msgspec.json.decode(data, type=CaseFacts) == kept_facts(made)


def test_the_contacts_of_the_project_are_kept_apart() -> None:
    """Whence an address comes is told; who did what the finding is about is named as not told."""
    known = context()
    finding = replace(known.finding, principal="mallory@example.com", contacts=("pat@example.com",))
    kept = kept_facts(replace(known, finding=finding), ("security@example.com", "Mallory+x@example.com"))
    assert kept.contacts == ("pat@example.com",)
    assert kept.project_contacts == ("security@example.com", "Mallory+x@example.com")
    assert kept.untold == ("Mallory+x@example.com",)
