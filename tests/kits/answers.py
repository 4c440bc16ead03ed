"""Answer what waits in a deployment for tests, as the HTTP edge does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scc_responder.journal.messages import Ending
from scc_responder.journal.plan import Plan
from scc_responder.pipeline.approvals import AnswerRequest, answer_plan
from tests.kits.responder import Deployment

HERE = {"content-type": "application/json", "host": "127.0.0.1:8080"}


def plan_of(deployment: Deployment, document: Mapping[str, Any]) -> Plan:
    """The plan in the finding's case."""
    plan = deployment.case(document).plan
    assert plan is not None
    return plan


def answered(
    deployment: Deployment,
    document: Mapping[str, Any],
    verb: str = "approve",
    *,
    token: str = "",
    headers: Mapping[str, str] = HERE,
    peer: str = "127.0.0.1",
    **body: str,
) -> Ending:
    """Answer the finding's plan; `body` replaces fields of what is sent."""
    record = deployment.case(document)
    sent = {"case": record.finding_key[:12], "plan": record.plan.digest if record.plan else "", **body}
    bearer = {"authorization": f"Bearer {token}"} if token else {}
    request = AnswerRequest(verb=verb, body=json.dumps(sent).encode(), headers={**headers, **bearer}, peer=peer)
    return answer_plan(request, deployment.services)
