"""Who hears of what: `policies/routes.yaml`, field by field, and which routes a notice takes. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from scc_responder.domain.notices.notice import Notice, NoticeKind
from scc_responder.domain.notices.routed_notice import NoticeContent, mailbox
from scc_responder.domain.value import StrictValue, between
from scc_responder.domain.wildcards import matches
from scc_responder.policy.match import Patterns, Severity, as_tuple

_RANKS = {str(severity): rank for rank, severity in enumerate(Severity)}


class ReceiverKind(StrEnum):
    """What receives notices: one file of `adapters/notifiers` each."""

    GOOGLE_CHAT = "google_chat"
    SLACK = "slack"
    PAGERDUTY = "pagerduty"
    EMAIL = "email"
    SIGNED_WEBHOOK = "signed_webhook"
    APPRISE = "apprise"


class Route(StrictValue, frozen=True, kw_only=True):
    """A receiver, and how much it is told. `address` is the name of the secret that holds its address.

    `to_contacts`: a mail goes to the finding's contacts as well, and to those of its project where Essential Contacts
    may be read, as far as `contact_domains` has their domains.
    More than `burst` notices within five minutes are gathered: one digest every five minutes tells of them.
    """

    receiver: ReceiverKind
    address: str
    content: NoticeContent = NoticeContent.FULL
    burst: Annotated[int, between(1, 1000)] = 20
    to_contacts: bool = False


class RouteRule(StrictValue, frozen=True, kw_only=True):
    """Which notices go `to` some routes: those for which every field holds. A list means any of these.

    `owner` is what a label or annotation of an owner says on the pod, its workload, its namespace, its cluster or the
    Cloud Run service. `cluster` is `projects/P/locations/L/clusters/C`, of Cloud Run `projects/P`. `severity` is the
    finding's, at least. What is not known of a notice holds nowhere.
    """

    owner: Patterns | None = None
    namespace: Patterns | None = None
    cluster: Patterns | None = None
    severity: Severity | None = None
    kind: NoticeKind | tuple[NoticeKind, ...] | None = None
    to: tuple[str, ...]

    def fits(self, notice: Notice) -> bool:
        """Whether it is about this notice."""
        subject = notice.subject
        told = ((self.namespace, (subject.namespace,)), (self.cluster, (subject.cluster,)))
        texts = (*told, (self.owner, subject.owners), (self.kind, (str(notice.kind),)))
        is_severe = self.severity is None or _RANKS.get(subject.severity, -1) >= _RANKS[self.severity]
        return is_severe and all(_any_fits(wanted, found) for wanted, found in texts if wanted is not None)


class Routes(StrictValue, frozen=True, kw_only=True):
    """The routes by their names, the rules that choose some, and those that hear where no rule fits: `fallback`.

    `contact_domains` are the domains, without those below them, at which contacts of findings may be told.
    """

    routes: dict[str, Route]
    rules: tuple[RouteRule, ...] = ()
    fallback: tuple[str, ...]
    contact_domains: tuple[str, ...] = ()

    def chosen(self, notice: Notice) -> tuple[str, ...]:
        """The names of the routes that the notice takes, each once: at least one.

        A tenant can write what names an owner. So that alone adds a route to the fallback, and replaces it only below
        HIGH. What a policy's `notify` names is added.
        """
        fitting = [rule for rule in self.rules if rule.fits(notice)]
        only_owners = all(rule.owner is not None for rule in fitting)
        falls_back = not fitting or (only_owners and is_severe_for_routes(notice))
        asked = notice.labels.get("to", "")
        names = [asked] if asked in self.routes else []
        names += [name for rule in fitting for name in rule.to]
        return tuple(dict.fromkeys((*names, *(self.fallback if falls_back else ()))))

    def contacts(self, name: str, notice: Notice, of_project: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Whom the route of this name tells of it besides its own people: never who did what it is about."""
        if not self.routes[name].to_contacts:
            return ()
        told = [item for item in of_project if mailbox(item) not in notice.subject.actors]
        named = dict.fromkeys((*notice.subject.contacts, *told))
        return tuple(item for item in named if item.rpartition("@")[2].lower() in self.contact_domains)


def is_severe_for_routes(notice: Notice) -> bool:
    """Whether its finding is HIGH or above; one of which that is not known counts as such."""
    return _RANKS.get(notice.subject.severity, _RANKS["HIGH"]) >= _RANKS["HIGH"]


def _any_fits(patterns: Patterns, texts: tuple[str, ...]) -> bool:
    return any(text and matches(pattern, text) for pattern in as_tuple(patterns) for text in texts)
