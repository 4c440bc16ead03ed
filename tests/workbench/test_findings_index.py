"""Google's index of threat findings, as saved, beside the catalogue."""

from __future__ import annotations

import html
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.errors import SettingsError
from scc_responder.intake.threats import Row, catalogue, title
from scc_responder.workbench.findings_index import INDEX_URL, IndexCheck, IndexedFinding, check_index

Cells = tuple[str, str, str, str]
RESOURCES = {"cloud_run": "Cloud Run", "node": "Compute Engine"}
NEW = ("Execution: Malicious Skill (Preview)", "malicious-skill", "AI", "Agent Platform Threat Detection")
OTHER = ("Exfiltration: BigQuery Data Extraction", "bigquery-extraction", "BigQuery", "Event Threat Detection")


def listed(row: Row) -> Cells:
    """A row of the catalogue as the index has it: the finding, its page, the resource, the service."""
    resource = RESOURCES.get(row.surface, "Google Kubernetes Engine")
    return row.category, row.runbook.rpartition("/")[2], resource, title(row.detector)


def as_html(*rows: Cells) -> str:
    """A saved page."""
    link = '<a href="https://docs.cloud.google.com/security-command-center/docs/findings/threats/{}?hl=en">{}</a>'
    cells = (
        f"<tr><td>\n {link.format(page, html.escape(name))}</td><td>{resource}<td><p>{service}</p></tr>"
        for name, page, resource, service in rows
    )
    head = "<tr><th>Name</th><th>Resource category</th><th>Detection service</th></tr>"
    return f"<html><p>Threat Detection</p><table>{head}{''.join(cells)}</table></html>"


def as_markdown(*rows: Cells) -> str:
    """The same page as Markdown."""
    link = "[{}](https://docs.cloud.google.com/security-command-center/docs/findings/threats/{}.md.txt)"
    cells = (f"| {link.format(name, page)} | {resource} | {service} |\n" for name, page, resource, service in rows)
    return f"# Index\n\n| Name | Resource category | Detection service |\n|---|---|---|\n{''.join(cells)}"


WHOLE = tuple(map(listed, catalogue()))


@pytest.mark.parametrize("written", [as_html, as_markdown])
def test_an_index_of_what_is_known(written: Callable[..., str]) -> None:
    """Nothing is missing and nothing is gone where both have the same."""
    found = check_index(written(*WHOLE, OTHER), catalogue())
    assert (found.missing, found.gone) == ((), ())
    assert found.known >= 120
    assert found.known + found.beyond == len(set(WHOLE)) + 1


@pytest.mark.parametrize("written", [as_html, as_markdown])
@pytest.mark.parametrize("row", catalogue()[::9], ids=lambda row: row.name)
def test_what_the_catalogue_lacks_is_named(row: Row, written: Callable[..., str]) -> None:
    """Any row that is taken out of the catalogue is named as missing, with its detector."""
    fewer = [other for other in catalogue() if other != row]
    found = check_index(written(*WHOLE), fewer)
    told = {(finding.detector, finding.name) for finding in found.missing}
    assert told == {(row.detector, row.category)} or (row.detector == "event_threat_detection" and not told)


def test_a_new_service_is_missing() -> None:
    """A service that the catalogue does not know is missing with all its findings, without the word of its stage."""
    found = check_index(as_html(*WHOLE, NEW), catalogue())
    expected = IndexedFinding(
        name="Execution: Malicious Skill",
        detector="agent_platform_threat_detection",
        resource="AI",
        page="malicious-skill",
    )
    assert found.missing == (expected,)


def test_a_renamed_finding_is_known_by_its_page() -> None:
    """Spellings drift; addresses stay."""
    name, *rest = listed(catalogue()[0])
    assert check_index(as_html((f"{name} Renamed", *rest)), catalogue()).missing == ()  # type: ignore[arg-type]


def test_what_the_index_no_longer_has() -> None:
    """A row is named as gone only where the index has others of its detector."""
    found = check_index(as_html(WHOLE[0]), catalogue())
    assert {row.detector for row in found.gone} == {catalogue()[0].detector}
    assert catalogue()[0] not in found.gone


@pytest.mark.parametrize("page", ["", "# Nothing", "<table><tr><td>a</td></tr></table>", "|---|", "\x00<<<"])
def test_another_page_is_refused(page: str) -> None:
    """A page without such a table is no proof that nothing is missing."""
    with pytest.raises(SettingsError, match=INDEX_URL):
        check_index(page, catalogue())


@given(st.text(max_size=200), st.text(alphabet="<>/tdrha|[]() =\"'\n", max_size=300))
def test_any_text_is_read_or_refused(noise: str, markup: str) -> None:
    """However a page was saved, it is compared or refused."""
    for page in (noise, markup, markup + as_html(WHOLE[0]), as_markdown(WHOLE[0]) + markup):
        with suppress(SettingsError):
            assert isinstance(check_index(page, catalogue()[:3]), IndexCheck)
