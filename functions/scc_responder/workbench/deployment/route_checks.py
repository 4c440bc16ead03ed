"""Whether each route has an address that its receiver can use, and a receiver that can be reached.

On request, whether it takes a test message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial

from scc_responder.adapters.notifiers import open_receiver
from scc_responder.domain.errors import ApiError, SettingsError
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity, NoticeSubject
from scc_responder.domain.notices.routed_notice import RoutedNotice
from scc_responder.domain.reasons import Reason
from scc_responder.journal.outbox.outbox import notice_id
from scc_responder.pipeline.notices.route_lanes import read_address
from scc_responder.policy.policy_set import PolicySet
from scc_responder.policy.routes import Route
from scc_responder.settings import VARIABLE_PREFIX, Settings
from scc_responder.workbench.deployment.receiver_reach import reach
from scc_responder.workbench.doctor.check import OR, Check, fault, ok, unknown


def trial_of(name: str, route: Route, now: datetime, console_url: str = "") -> RoutedNotice:
    """A message for the route that says that it is a test, in every content."""
    notice = Notice(
        kind=NoticeKind.TRIAL,
        severity=NoticeSeverity.NOTICE,
        facts={"route": name, "test": "this is a test of scc-responder: nothing happened, and nothing has to be done"},
        subject=NoticeSubject(is_over=True),
        key=f"{name} {now.isoformat()}",
    )
    told = notice_id(notice)
    return RoutedNotice(
        id=told, thread=told, content=route.content, closes=True, console_url=console_url, notice=notice
    )


def send_trial(name: str, route: Route, folder: str, now: datetime, console_url: str = "") -> str:
    """Send the test, and return the receipt. Raises ApiError, SettingsError."""
    receiver = open_receiver(route.receiver, read_address(folder, route.address))
    return receiver.send(trial_of(name, route, now, console_url))


def route_probes(
    policies: PolicySet | None, settings: Settings, now: datetime, *, send: bool
) -> Iterator[tuple[str, Callable[[], Iterator[Check]]]]:
    """What examines each route, by its name."""
    for name, route in policies.routes.routes.items() if policies and policies.routes else ():
        yield name, partial(examine_route, name, route, settings, now, send=send)


def examine_route(name: str, route: Route, settings: Settings, now: datetime, *, send: bool) -> Iterator[Check]:
    """Open the secret, and connect without a message; with `send`, send the test instead."""
    check, probed, folder = "routes", f"{name}: {route.receiver}", settings.notice_secrets
    if not folder:
        fix = f"Terraform variable notice_secrets{OR}set {VARIABLE_PREFIX}NOTICE_SECRETS"
        yield fault(check, probed, "notice_secrets_not_set", "routes.yaml has routes, and no folder of addresses", fix)
        return
    try:
        receiver = open_receiver(route.receiver, read_address(folder, route.address))
        if send:
            receiver.send(trial_of(name, route, now, settings.console_url))
        tried = "it took a test message" if send else reach(receiver)
    except SettingsError as error:
        yield fault(check, probed, error.reason, str(error), f"add a version to the secret {route.address}")
    except ApiError as error:
        if error.reason == Reason.ADDRESS_UNREADABLE:
            # A person's machine has no secrets mounted: only the function knows.
            fix = f"Terraform variable notice_secrets, with {route.address} as a name"
            yield unknown(check, probed, error.reason, str(error), fix)
        else:
            refused = "did not take a test message" if send else "cannot be reached"
            fix = _LIST if send else f"add a version to the secret {route.address}, if it is wrong{OR}{_WAY}"
            yield fault(check, probed, error.reason, f"it {refused}: {error}", fix)
    else:
        yield ok(check, probed, tried)


_WAY = "let this machine reach its host: name, route, firewall, trusted certificate"
_LIST = "scc-responder notify list --store STORE"
