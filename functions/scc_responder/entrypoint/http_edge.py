"""The HTTP edge: a request in, a status out. Only a person's answer has a body.

Pub/Sub pushes to `/`. At `/approve` and `/reject` a person answers a plan that waits, at `/resume` a person has a case
tried again, at `/mark_right` and `/mark_wrong` a person says whether what was done was right. The body says so where
that was taken, and to the console also why it was not. Cloud Scheduler posts to `/sweep` and `/look`. Any other path is
404, any other method 405: nothing is done, and nobody reads it as taken.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scc_responder.domain.reasons import Reason
from scc_responder.domain.text import visible
from scc_responder.intake.envelope import MAX_ENVELOPE_BYTES
from scc_responder.journal.messages import Ending, log_line
from scc_responder.pipeline.delivery import respond
from scc_responder.pipeline.services import Services
from scc_responder.settings import Settings, read_settings

if TYPE_CHECKING:
    from scc_responder.pipeline.approvals import AnswerRequest

HttpAnswer = tuple[str, int, dict[str, str]]
"""Body, status and headers."""
_ANSWERS = ("/approve", "/reject", "/resume", "/mark_right", "/mark_wrong")
"""The paths at which a person answers a plan that waits, has a case tried again, or marks it."""
SWEEP = "/sweep"
"""The path of the sweep, which resumes unfinished cases."""
LOOK = "/look"
"""The path of the looks at what was contained."""


def make_services(
    folder: Path, environment: Mapping[str, str] = os.environ, made: Callable[[Settings], Services] = Services
) -> Services:
    """The services of a deployment whose `policies` lie beside main.py. Raises SettingsError, PolicyError: no start."""
    services = made(read_settings(environment, folder / "policies"))
    services.refuse_local()
    services.policies  # noqa: B018 - a policy that cannot be used stops the start, not the first finding
    services.check_notifiers()
    return services


def handle(request: Any, services: Services) -> HttpAnswer:
    """Answer a Flask request. Its size is bounded before it is read."""
    work = _WORK.get(request.path)
    if work is None or request.method != "POST":
        return _refused(request, services)
    ending = work(request, services)
    if ending.body:
        return ending.body, 200 if ending.status == 204 else ending.status, {"Content-Type": "application/json"}
    return "", ending.status, {}


def _refused(request: Any, services: Services) -> HttpAnswer:
    known = request.path in _WORK
    ending = Ending(
        status=405 if known else 404,
        reason=Reason.METHOD_NOT_ALLOWED if known else Reason.NO_SUCH_PATH,
        severity="WARNING",
    )
    asked = {"error": visible(f"{request.method} {request.path}", 200)}
    services.tell(log_line(ending, "", "", services.settings.trace_project, asked))
    return "", ending.status, {"Allow": "POST"} if known else {}


def _deliver(request: Any, services: Services) -> Ending:
    return respond(request.stream.read(MAX_ENVELOPE_BYTES + 1), dict(request.headers), services)


def answer_request(request: Any) -> AnswerRequest:
    """A person's answer from a Flask request: its path is the verb."""
    from scc_responder.pipeline import approvals as answers  # noqa: PLC0415 - a finding's delivery need not wait for it

    body = request.stream.read(answers.MAX_ANSWER_BYTES + 1)
    headers, peer = _sender(request)
    return answers.AnswerRequest(verb=request.path[1:], body=body, headers=headers, peer=peer)


def _answer(request: Any, services: Services) -> Ending:
    from scc_responder.pipeline.approvals import answer_plan  # noqa: PLC0415 - see `answer_request`

    return answer_plan(answer_request(request), services)


def _sweep(request: Any, services: Services) -> Ending:
    from scc_responder.pipeline.sweep import sweep  # noqa: PLC0415 - a finding's delivery need not wait for it

    return sweep(*_sender(request), services)


def _look(request: Any, services: Services) -> Ending:
    from scc_responder.pipeline.looks.look_sweep import look_sweep  # noqa: PLC0415 - a finding need not wait for it

    return look_sweep(*_sender(request), services)


def _sender(request: Any) -> tuple[dict[str, str], str]:
    """The headers, their names in lower case, and the sender's address."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    return headers, str(request.remote_addr or "")


_WORK: dict[str, Callable[[Any, Services], Ending]] = {
    "/": _deliver,
    **dict.fromkeys(_ANSWERS, _answer),
    SWEEP: _sweep,
    LOOK: _look,
}
