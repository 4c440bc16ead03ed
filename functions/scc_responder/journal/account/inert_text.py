"""Text that an attacker can write, for outlets that act on what they show: chat, mail, pages, terminals. Pure.

What acts is put into brackets, as people who handle incidents write it: `https[:]//evil[.]example`, `[<]!channel>`.
Nothing is left out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from scc_responder.domain.text import MAX_TEXT_BYTES, visible

_LABELS = r"(?:[^\s/:@<>()\[\]`.\u3002\uff0e\uff61]+[.\u3002\uff0e\uff61])+"
"""The start of a host's name, or of what looks like one. Source of what stands for its dots: UTS 46, 2.3."""

_ACTS = re.compile(
    rf"(?P<labels>(?<![\w.-])(?<![^/]/){_LABELS}(?=[^\W\d_])|(?<=//){_LABELS})"
    r"|(?<!\bfirestore):(?=//)|@(?!(?<=\w@)sha256:)|<|`|(?<=\])\("  # addresses, mentions, tags, code, links of Markdown
)
"""No outlet opens the address of a store, `firestore://`: commands that name it are typed as they are shown."""
_DOT = re.compile("[.\u3002\uff0e\uff61]")


def inert(text: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
    r"""The text with what hides in it made visible, and without what an outlet would act on; cut to `max_bytes`.

    >>> inert("<!channel> see https://evil.example/x or mail a@evil.example")
    '[<]!channel> see https[:]//evil[.]example/x or mail a[@]evil[.]example'
    >>> inert("/tmp/run.sh 203.0.113.7 web@sha256:0d85")
    '/tmp/run.sh 203.0.113.7 web@sha256:0d85'
    >>> inert("--store firestore://example-project/cases")
    '--store firestore://example-project/cases'
    """
    return _ACTS.sub(_broken, visible(text, max_bytes))


def inert_data(data: Any) -> Any:
    """JSON data in which each text, and each name of a field, is inert."""
    if isinstance(data, str):
        return inert(data)
    if isinstance(data, Mapping):
        return {inert(str(name)): inert_data(value) for name, value in data.items()}
    return [inert_data(item) for item in data] if isinstance(data, list | tuple) else data


def _broken(match: re.Match[str]) -> str:
    if match[0] == "`":
        return r"\u0060"  # in brackets it would still end code of Markdown
    return _DOT.sub(r"[\g<0>]", match[0]) if match["labels"] else f"[{match[0]}]"
