"""Leave secrets out of a log. Pure.

Looked through in parts of whole lines, since no pattern is tried on a text of any length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from scc_responder.domain.text import LatePattern
from scc_responder.execute.evidence.redaction import Redacted, Redaction
from scc_responder.execute.evidence.secret_text import RedactionRule, redact_text

PART_LENGTH = 64 * 1024
"""Characters of a part. A longer line is a part of its own, or several."""

_STAMP = LatePattern(r"^\d{4}-\d\d-\d\dT[\d:.]{8,20}(?:Z|[+-]\d\d:\d\d) ", re.MULTILINE)


def redact_log(text: str) -> Redacted:
    """The log without secrets, and what was left out, by the numbers of its lines."""
    kept: list[str] = []
    redactions: list[Redaction] = []
    line = 1
    for part in _parts(text):
        content, rules = _redacted(part)
        kept.append(content)
        after = line + part.count("\n")
        redactions += [Redaction(path=f"lines {line} to {after}", rule=rule) for rule in rules]
        line = after
    return Redacted(content="".join(kept), redactions=tuple(redactions))


def _parts(text: str) -> Iterator[str]:
    start = 0
    while start < len(text):
        end = text.rfind("\n", start, start + PART_LENGTH) + 1 if len(text) - start > PART_LENGTH else len(text)
        end = end if end > start else start + PART_LENGTH
        yield text[start:end]
        start = end


def _redacted(part: str) -> tuple[str, tuple[RedactionRule, ...]]:
    """The part without secrets. What stands in several lines is looked for without the times that begin them."""
    stamps = [match[0] if (match := _STAMP.compiled.match(line)) else "" for line in part.split("\n")]
    bare, rules = redact_text(_STAMP.compiled.sub("", part))
    lines = bare.split("\n")
    if len(lines) != len(stamps):
        return redact_text(part)  # a secret of several lines: then a time may be taken for a value, and is left out
    return "\n".join(stamp + line for stamp, line in zip(stamps, lines, strict=True)), rules
