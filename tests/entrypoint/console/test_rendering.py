"""Pages are made of templates that escape, under a policy that lets nothing run."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from jinja2 import UndefinedError

from scc_responder.entrypoint.console.rendering import content_policy, rendered
from tests.kits.hostile_accounts import MARKUP


@pytest.mark.parametrize("text", MARKUP)
def test_a_template_escapes_what_it_is_given(text: str) -> None:
    """No value becomes markup."""
    page = rendered("refused.html", told=text, reason="x", person=None, case="")
    body = page[page.index("<main>") :]
    assert set(re.findall(r"<([a-z0-9]+)", body)) == {"main", "h1", "p", "code"}


def test_a_value_that_is_missing_is_an_error() -> None:
    """A page is never shown without a part of it."""
    with pytest.raises(UndefinedError):
        rendered("refused.html", person=None, reason="x")


@pytest.mark.parametrize("forms", ["'none'", "'self'"])
def test_the_policy_allows_one_style_and_nothing_else(forms: str) -> None:
    """No script, no other origin, no frame, no base: only the style in the page, by its digest."""
    parts = dict(part.strip().split(" ", 1) for part in content_policy(forms).split(";"))
    (style,) = re.findall(
        r"<style>(.*?)</style>", rendered("refused.html", case="", told="x", reason="x", person=None), re.DOTALL
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert parts.pop("style-src") == f"'sha256-{digest}'"
    none = "'none'"
    assert parts == {"default-src": none, "img-src": "data:", "form-action": forms, "base-uri": none}
