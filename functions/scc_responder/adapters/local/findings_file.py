"""Findings from a folder of JSON files, for local use: each holds one notification, in any shape that is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.errors import ApiError, RejectedMessage, SettingsError
from scc_responder.domain.finding import Finding
from scc_responder.domain.reasons import Reason
from scc_responder.intake.notification import notification_json, parse_notification
from scc_responder.intake.related_findings import candidate, related_among


class FindingsFolder:
    """`ports.Findings` on `*.json` of one folder, read at each call; files that hold no finding are passed over.

    `sources`: numeric ids of the sources whose findings can be related to others.
    """

    def __init__(self, folder: Path, sources: Collection[str]) -> None:
        """Raise SettingsError `findings_unusable` where there is no such folder."""
        if not folder.is_dir():
            raise SettingsError("findings_unusable", f"{folder} is no folder: name one with findings as JSON files")
        self._folder = folder
        self._sources = frozenset(sources)

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """The newest notification of that finding in the folder, or None. Raises ApiError `findings_unavailable`."""
        same = [(found.event_time, document) for found, document in self._stored() if found.key == finding.key]
        return max(same, key=lambda item: item[0])[1] if same else None

    def related(self, finding: Finding) -> Sequence[RelatedFinding]:
        """The related findings as they stand now, oldest first. Raises ApiError `findings_unavailable`."""
        newest: dict[str, Finding] = {}
        for stored, _ in self._stored():
            known = newest.setdefault(stored.key, stored)
            newest[stored.key] = max(known, stored, key=lambda copy: copy.event_time)
        return related_among(map(candidate, newest.values()), candidate(finding), self._sources)

    def _stored(self) -> Iterator[tuple[Finding, Mapping[str, Any]]]:
        for path in sorted(self._folder.glob("*.json")):
            try:
                document = notification_json(path.read_bytes())
                yield parse_notification(document), document
            except OSError as error:
                raise ApiError(Reason.FINDINGS_UNAVAILABLE, f"{path}: {error.strerror}") from error
            except RejectedMessage:
                continue
