"""What is known of a target, as the fields `known` and `links` of a message. Nothing in them is active. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from scc_responder.domain.kubernetes.container_facts import Inspection
from scc_responder.journal.account.account_links import account_links
from scc_responder.journal.account.case_facts import CaseFacts
from scc_responder.journal.account.inert_text import inert_data

_IN_LINKS = frozenset({"logs", "project"})


def known_fields(
    finding: str, threat: Mapping[str, Any], facts: CaseFacts, inspection: Inspection | None
) -> dict[str, Any]:
    """The facts as far as there are any, what a look into the container told, and the links.

    `finding` is its name, `threat` as a case keeps it. Each link has a title, and its `url` or `why` there is none.
    """
    told = {name: fact for name, fact in msgspec.to_builtins(facts).items() if fact and name not in _IN_LINKS}
    told |= {"inspection": msgspec.to_builtins(inspection)} if inspection else {}
    links = account_links(finding, threat, facts, inspection.artefact if inspection else None)
    said = [
        {"title": inert_data(link.title), **({"url": link.url} if link.url else {"why": link.why})} for link in links
    ]
    return {"known": inert_data(told), "links": said}
