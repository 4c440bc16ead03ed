"""Each link has the form of the place that it leads to, and is made of parts that were checked."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given

from scc_responder.domain.kubernetes.container_facts import Artefact, ArtefactHash, Inspection, Origin
from scc_responder.execute.evidence.log_filters import MOST_CHARACTERS
from scc_responder.intake.threats import catalogue, mitre_id
from scc_responder.journal.account import account_links as links_module
from scc_responder.journal.account.account_links import AccountLink, technique_names
from scc_responder.journal.account.case_facts import CaseFacts, NamedFile
from scc_responder.journal.case import CaseRecord
from tests.findings import notification
from tests.kits.account_cases import CASES
from tests.kits.hostile_accounts import THOUSAND, account_and_texts, hostile_records
from tests.kits.journal_worlds import START

FORMS = (
    r"https://console\.cloud\.google\.com/security/command-center/findingsv2;name=[\w.%-]+\?(organizationId|folder|project)=[\w.%-]+",
    r"https://console\.cloud\.google\.com/logs/query;query=[\w.%~-]+\?project=[\w.%-]+",
    r"https://cloud\.google\.com/[a-z0-9/-]+",
    r"https://www\.virustotal\.com/gui/file/[0-9a-f]{64}",
    r"https://attack\.mitre\.org/techniques/T\d{4}(/\d{3})?/",
)
HASH = "ab" * 32


def record(name: str = "organizations/1/sources/2/locations/global/findings/f", **threat: Any) -> CaseRecord:
    return CaseRecord(
        finding_key="0a" * 32, finding_name=name, event_time=START, digest="d", decision={"threat": threat}
    )


def account_links(made: CaseRecord, facts: CaseFacts) -> tuple[AccountLink, ...]:
    read = made.inspection.artefact if made.inspection else None
    return links_module.account_links(made.finding_name, made.decision.get("threat", {}), facts, read)


def titled(links: tuple[AccountLink, ...], title: str) -> list[AccountLink]:
    return [link for link in links if link.title.startswith(title)]


@THOUSAND
@given(hostile_records())
def test_no_text_of_an_attacker_makes_a_link(made: tuple[CaseRecord, list[str]]) -> None:
    """Whatever the record says, an address has one of five forms, or is not there and says why."""
    for link in account_and_texts(made)[0].links:
        assert bool(link.url) != bool(link.why)
        assert not link.url or any(re.fullmatch(form, link.url, re.ASCII) for form in FORMS), link.url


@pytest.mark.parametrize("name", sorted(CASES))
def test_the_links_of_real_cases_have_the_forms_of_their_places(name: str, tmp_path: Path) -> None:
    """Finding, runbook, logs, techniques; the questions to the logs are those that the product asks itself."""
    with CASES[name](tmp_path) as case:
        facts = CaseFacts(logs=case.record.decision["facts"]["logs"], project="example-project")
        links = account_links(case.record, facts)
    assert all(re.fullmatch("|".join(FORMS), link.url, re.ASCII) for link in links)
    assert {link.title.partition(":")[0].split()[0] for link in links} == {"Finding", "Runbook", "Logs", "MITRE"}
    for link, question in zip(titled(links, "Logs"), facts.logs.values(), strict=True):
        assert unquote(urlsplit(link.url).path.partition(";query=")[2]) == question
        assert parse_qs(urlsplit(link.url).query) == {"project": ["example-project"]}
        assert 'timestamp>="' in question
        assert len(question) <= MOST_CHARACTERS


def test_the_finding_is_linked_as_security_command_center_links_it() -> None:
    """By the same address that it puts into the finding; of a project and a folder, by theirs."""
    finding = notification("added_binary_executed")["finding"]
    assert account_links(record(finding["name"]), CaseFacts())[0].url == finding["externalUri"]
    (link, *_) = account_links(record("projects/p-1/sources/2/findings/f"), CaseFacts())
    assert link.url.endswith("?project=p-1")
    (link, *_) = account_links(record("folders/7/sources/2/findings/f"), CaseFacts())
    assert link.url.endswith("?folder=7")


def test_only_a_hash_of_a_whole_file_leads_to_virustotal() -> None:
    """That of a part says so; one that was read in the container does, and none is linked twice."""
    whole, part = (
        NamedFile(role="program", path="/tmp/x", sha256=digits * 32, whole_file=is_whole, hashed_size=8192)
        for digits, is_whole in (("ab", True), ("cd", False))
    )
    read = Artefact(role="binary", path="/tmp/x", hash=ArtefactHash.MATCHES, origin=Origin.ADDED, sha256="ef" * 32)
    made = CaseRecord(
        finding_key="0a" * 32, finding_name="f", event_time=START, digest="d", inspection=Inspection(artefact=read)
    )
    links = titled(account_links(made, CaseFacts(files=(whole, part, whole))), "VirusTotal")
    assert [link.url.rpartition("/")[2] for link in links] == [HASH, "", "ef" * 32]
    assert "part of the file" in links[1].why


def test_each_technique_of_the_catalogue_has_its_name() -> None:
    """And each that a finding may state; what the catalogue adds is said to be its."""
    stated = {technique for row in catalogue() for technique in (*row.techniques, *row.techniques_inferred)}
    assert stated - set(technique_names()) == set()
    links = titled(
        account_links(record(techniques=[mitre_id("ESCAPE_TO_HOST")], techniques_inferred=["T1027.004"]), CaseFacts()),
        "MITRE",
    )
    assert [(link.title, link.url) for link in links] == [
        ("MITRE T1611: Escape to Host", "https://attack.mitre.org/techniques/T1611/"),
        ("MITRE T1027.004: Compile After Delivery, by the catalogue", "https://attack.mitre.org/techniques/T1027/004/"),
    ]


def test_a_runbook_elsewhere_is_no_link() -> None:
    """Whoever may write the store could have put any address there."""
    (link,) = titled(account_links(record(runbook="https://evil.example/x"), CaseFacts()), "Runbook")
    assert (link.url, link.why) == ("", "it is no page of Google Cloud")


def test_a_question_that_says_nothing_is_no_link() -> None:
    """Nor are any where the project is not known: it says so once."""
    (link,) = titled(account_links(record(), CaseFacts(project="example-project", logs={"pod": ""})), "Logs")
    assert (link.url, link.why) == ("", "it asks nothing")
    (link,) = titled(account_links(record(), CaseFacts(project="a b", logs={"pod": "x", "node": "y"})), "Logs")
    assert link.why == "the project of the logs is not known"
