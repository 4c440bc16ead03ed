"""Google's index of threat findings beside the catalogue: what one has and the other does not. Pure.

The index is a page with a table: a finding's name, the kind of resource, and the service that detects it. Both forms in
which the page can be saved are read, HTML and Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.value import Value
from scc_responder.intake.threats import Row, fold

INDEX_URL = "https://cloud.google.com/security-command-center/docs/threat-findings-index"
"""Where the page is."""

_SERVICE = re.compile(r"([A-Z][A-Za-z]*(?: [A-Z][A-Za-z]*)* Threat Detection)", re.ASCII)
_STAGE = re.compile(r"\s*\(\s*(?:preview|ga|deprecated)\s*\)\s*$", re.ASCII | re.IGNORECASE)
_PAGE = re.compile(r"/security-command-center/docs/findings/threats/([a-z0-9-]+)", re.ASCII)
_LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_CELL = re.compile(r"(?<!\\)\|")
_EVENTS = "event_threat_detection"
_OURS = re.compile(r"kubernetes|\bgke\b|cloud run|\bai\b", re.ASCII | re.IGNORECASE)
"""What a finding of Event Threat Detection is about where the catalogue should have it."""


class IndexedFinding(Value, frozen=True, kw_only=True):
    """One finding of the index. `page` is the last part of its page's address, empty where it has none."""

    name: str
    detector: str
    resource: str
    page: str = ""


class IndexCheck(Value, frozen=True, kw_only=True):
    """`missing` is in the index and not in the catalogue, `gone` the other way round. `beyond` counts the findings of
    the index that are about other resources."""

    known: int
    missing: tuple[IndexedFinding, ...]
    gone: tuple[Row, ...]
    beyond: int


class _Tables(HTMLParser):
    """The rows of all tables of a page, each cell with its text and the first address in it."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[tuple[str, str]]] = []
        self._text: list[str] | None = None
        self._address = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self._end_cell()
            self._text, self._address = [], ""
        elif tag == "a" and self._text is not None:
            self._address = self._address or dict(attrs).get("href") or ""

    def handle_endtag(self, tag: str) -> None:
        if tag in {"td", "th", "tr", "table"}:
            self._end_cell()

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)

    def _end_cell(self) -> None:
        if self._text is not None and self.rows:
            self.rows[-1].append((" ".join("".join(self._text).split()), self._address))
        self._text = None


def check_index(page: str, rows: Sequence[Row]) -> IndexCheck:
    """Compare. Raises SettingsError `no_findings_index` where the page has no such table."""
    found = tuple(dict.fromkeys(_findings([*_html_rows(page), *_markdown_rows(page)])))
    if not found:
        told = f"no table of findings and the services that detect them; save {INDEX_URL} as HTML or as Markdown"
        raise SettingsError("no_findings_index", told)
    ours = [finding for finding in found if finding.detector != _EVENTS or _OURS.search(_about(finding))]
    spellings = {(row.detector, fold(text)) for row in rows for text in (row.category, *row.aliases)}
    pages = {(row.detector, row.runbook.rpartition("/")[2]) for row in rows if _PAGE.search(row.runbook)}
    missing = tuple(finding for finding in ours if not _is_known(finding, spellings, pages))
    return IndexCheck(
        known=len(ours) - len(missing),
        missing=missing,
        gone=tuple(row for row in rows if not _is_listed(row, found)),
        beyond=len(found) - len(ours),
    )


def _about(finding: IndexedFinding) -> str:
    return f"{finding.name} {finding.resource} {finding.page.replace('-', ' ')}"


def _is_known(finding: IndexedFinding, spellings: set[tuple[str, str]], pages: set[tuple[str, str]]) -> bool:
    return (finding.detector, fold(finding.name)) in spellings or (finding.detector, finding.page) in pages


def _is_listed(row: Row, found: Iterable[IndexedFinding]) -> bool:
    """Whether the index has the row, or nothing of its detector: then it says nothing of the row."""
    same = [finding for finding in found if finding.detector == row.detector]
    names = {fold(text) for text in (row.category, *row.aliases)}
    page = row.runbook.rpartition("/")[2]
    return not same or any(fold(finding.name) in names or finding.page == page for finding in same)


def _html_rows(page: str) -> list[list[tuple[str, str]]]:
    tables = _Tables()
    tables.feed(page)
    tables.close()
    return tables.rows


def _markdown_rows(page: str) -> Iterator[list[tuple[str, str]]]:
    for line in page.splitlines():
        if line.lstrip().startswith("|"):
            yield [_markdown_cell(cell.strip()) for cell in _CELL.split(line.strip().strip("|"))]


def _markdown_cell(cell: str) -> tuple[str, str]:
    link = _LINK.search(cell)
    text = _LINK.sub(lambda found: found[1], cell).replace("\\", "").replace("`", "")
    return " ".join(text.split()), link[2] if link else ""


def _findings(rows: Iterable[Sequence[tuple[str, str]]]) -> Iterator[IndexedFinding]:
    for row in rows:
        services = [service for text, _ in row[1:] for service in _SERVICE.findall(text)]
        name, address = row[0] if row else ("", "")
        page = _PAGE.search(address)
        resource = "; ".join(text for text, _ in row[1:] if not _SERVICE.search(text))
        for service in services if name else ():
            yield IndexedFinding(
                name=_STAGE.sub("", name),
                detector="_".join(service.lower().split()),
                resource=resource,
                page=page[1] if page else "",
            )
