"""Findings from a folder of JSON files, for local use: each holds one notification, in any shape that `wire` reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.domain.context import RelatedFinding
from scc_responder.domain.errors import ApiError, RejectedMessage, SettingsError
from scc_responder.domain.finding import Finding
from scc_responder.intake.notification import parse_notification

NEAR = timedelta(hours=1)


class FindingsFolder:
    """`ports.Findings` on `*.json` of one folder, read at each call; files that hold no finding are passed over."""

    def __init__(self, folder: Path) -> None:
        """Raise SettingsError `findings_unusable` where there is no such folder."""
        if not folder.is_dir():
            raise SettingsError("findings_unusable", f"{folder} is no folder: name one with findings as JSON files")
        self._folder = folder

    def read(self, finding: Finding) -> Mapping[str, Any] | None:
        """The newest notification of that finding in the folder, or None. Raises ApiError `findings_unavailable`."""
        same = [(found.event_time, document) for found, document in self._stored() if found.key == finding.key]
        return max(same, key=lambda item: item[0])[1] if same else None

    def related(self, finding: Finding) -> Sequence[RelatedFinding]:
        """Other findings on the same resource within an hour, oldest first. Raises ApiError `findings_unavailable`."""
        near = {found.key: found for found, _ in self._stored() if _is_related(found, finding)}
        return [
            RelatedFinding(
                name=found.name, category=found.category, event_time=found.event_time, severity=found.severity
            )
            for found in sorted(near.values(), key=lambda found: (found.event_time, found.name))
        ]

    def _stored(self) -> Iterator[tuple[Finding, Mapping[str, Any]]]:
        for path in sorted(self._folder.glob("*.json")):
            try:
                content = path.read_bytes()
                yield parse_notification(content), msgspec.json.decode(content)
            except OSError as error:
                raise ApiError("findings_unavailable", f"{path}: {error.strerror}") from error
            except (RejectedMessage, msgspec.DecodeError):
                continue


def _is_related(other: Finding, finding: Finding) -> bool:
    if other.key == finding.key or abs(other.event_time - finding.event_time) > NEAR:
        return False
    if finding.pods or other.pods:
        return other.cluster == finding.cluster and bool(set(other.pods) & set(finding.pods))
    return bool(finding.resource_name) and other.resource_name == finding.resource_name
