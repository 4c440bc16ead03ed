"""Templates of this folder as pages, which escape every value. The style is in the page, named by its digest."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scc_responder.journal.account.answers import KNOWLEDGE, QUESTIONS
from scc_responder.journal.account.inert_text import inert

if TYPE_CHECKING:
    from jinja2 import Environment


class Seals(dict[str, str]):
    """The tokens of a page's forms, by answer; of what has no form it is empty, also in a template."""

    def __missing__(self, verb: str) -> str:
        return ""


_HERE = Path(__file__).parent


def rendered(template: str, **values: Any) -> str:
    """The page, under a policy that lets a browser load and run nothing; forms go nowhere, or to where `forms` says."""
    return _environment().get_template(template).render(policy=content_policy(values.pop("forms", "'none'")), **values)


def content_policy(forms: str) -> str:
    """The Content-Security-Policy of a page, whose forms may go there: `'none'` or `'self'`."""
    digest = base64.b64encode(hashlib.sha256(_style().encode()).digest()).decode()
    allowed = f"style-src 'sha256-{digest}'; img-src data:; form-action {forms}"
    return f"default-src 'none'; {allowed}; base-uri 'none'"


@cache
def _style() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - a tenth of a second

    made = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.globals |= {"inert": inert, "knowledge": KNOWLEDGE, "questions": QUESTIONS, "style": _style()}
    return made
