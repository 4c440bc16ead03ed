"""Read `guardrails.yaml`, and refuse what would protect nothing: a limit that never holds is worse than none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from scc_responder.action import actions
from scc_responder.documents import read_document
from scc_responder.duration import parse_duration
from scc_responder.errors import PolicyError
from scc_responder.glob import matches
from scc_responder.guardrails import (
    FILE_NAME,
    NONE_GIVEN,
    Approval,
    Ceiling,
    Day,
    Exemption,
    Guardrails,
    Protected,
    QuietHours,
)
from scc_responder.limits import Limit
from scc_responder.mode import Mode

Fault = tuple[str, str]
"""Where in the file, and what is wrong there with its remedy."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_SHARE = re.compile(r"(?:[1-9][0-9]?|100)%", re.ASCII)
_NAMESPACE = re.compile(r"[a-z0-9*?-]{1,63}", re.ASCII)
_NODE = re.compile(r"[a-z0-9.*?-]{1,253}", re.ASCII)
_WORKLOAD = re.compile(rf"{_NAMESPACE.pattern}/[A-Z*?][A-Za-z0-9*?]*/[a-z0-9.*?-]+", re.ASCII)
_PRINCIPAL = re.compile(r"\S+", re.ASCII)
_KEY = re.compile(r"[A-Za-z0-9./_-]+", re.ASCII)


def _may_be_cluster(pattern: str) -> bool:
    parts = pattern.split("/")
    return len(parts) == 6 and all(map(matches, parts[::2], ("projects", "locations", "clusters"))) and all(parts)


_FORMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "namespaces": (_NAMESPACE.fullmatch, "a namespace is lower-case letters, digits and '-', such as shop or team-*"),
    "workloads": (_WORKLOAD.fullmatch, "write namespace/Kind/name, such as shop/Deployment/web or */StatefulSet/*-db"),
    "nodes": (_NODE.fullmatch, "a node is lower-case letters, digits, '-' and '.', such as gke-prod-1-system-*"),
    "clusters": (_may_be_cluster, "write projects/P/locations/L/clusters/C; * stands for one part of it"),
    "principals": (_PRINCIPAL.fullmatch, "write an e-mail address, or a principal:// name"),
}
"""What a pattern must look like to match anything at all, by the field it stands in."""


def load_guardrails(folder: Path) -> Guardrails:
    """The folder's guardrails; `NONE_GIVEN` where there are none. Raises PolicyError."""
    path = folder / FILE_NAME
    if not path.exists() or not path.read_bytes().strip():
        return NONE_GIVEN
    guardrails = read_document(path, Guardrails, {"max_mode": Mode, "days": Day})
    for place, problem in faults(guardrails):
        raise PolicyError("invalid_policy", f"{FILE_NAME}: {place}: {problem}")
    return guardrails


def faults(guardrails: Guardrails) -> Iterator[Fault]:
    """Everything in guardrails that could not hold, or that could not be told apart later."""
    yield from _patterns("protected", guardrails.protected, ("namespaces", "workloads", "nodes", "clusters"))
    yield from _patterns("protected", guardrails.protected, ("principals",))
    for index, ceiling in enumerate(guardrails.ceilings):
        yield from _patterns(f"ceilings[{index}]", ceiling, ("clusters", "namespaces"))
    for index, quiet in enumerate(guardrails.quiet_hours):
        yield from _quiet_hours(f"quiet_hours[{index}]", quiet)
    for index, exemption in enumerate(guardrails.exemptions):
        yield from _exemption(f"exemptions[{index}]", exemption)
    yield from _names(guardrails)
    yield from _approval(guardrails.approval)
    for scope in guardrails.limits.__struct_fields__:
        for index, limit in enumerate(getattr(guardrails.limits, scope)):
            yield from limit_faults(f"limits.{scope}[{index}]", limit)
    yield from _storm_breaker(guardrails)
    yield from _allowed_keys(guardrails)
    for field in guardrails.max_finding_age.__struct_fields__:
        yield from _duration(f"max_finding_age.{field}", getattr(guardrails.max_finding_age, field))


def limit_faults(place: str, limit: Limit) -> Iterator[Fault]:
    """What is wrong with one limit, of guardrails or of a policy."""
    most = limit.most
    if isinstance(most, str) and not _SHARE.fullmatch(most):
        yield f"{place}.most", f"{most!r} is no share; write a number, or 1% to 100%"
    if isinstance(most, int) and most < 1:
        yield f"{place}.most", f"{most} would allow nothing; to allow nothing, lower max_mode"
    yield from _duration(f"{place}.within", limit.within)


def _duration(place: str, text: str) -> Iterator[Fault]:
    try:
        length = parse_duration(text)
    except ValueError as error:
        yield place, str(error)
    else:
        if not length:
            yield place, f"{text!r} is no time at all; write a longer one"


def _patterns(place: str, part: Protected | Ceiling | QuietHours, fields: Iterable[str]) -> Iterator[Fault]:
    for field in fields:
        fits, remedy = _FORMS[field]
        for index, pattern in enumerate(getattr(part, field)):
            if not fits(pattern):
                yield f"{place}.{field}[{index}]", f"{pattern!r} can never match; {remedy}"


def _quiet_hours(place: str, quiet: QuietHours) -> Iterator[Fault]:
    yield from _patterns(place, quiet, ("clusters",))
    times = [("from", quiet.start, False), ("to", quiet.end, True)]
    found = [fault for field, time, ends in times for fault in _time(f"{place}.{field}", time, ends=ends)]
    yield from found
    if not found and quiet.start == quiet.end:
        yield f"{place}.to", 'the same as from; for whole days write from: "00:00" and to: "24:00"'
    yield from _timezone(f"{place}.timezone", quiet.timezone)


def _time(place: str, time: str | int, *, ends: bool) -> Iterator[Fault]:
    if isinstance(time, int):
        hours, minutes = divmod(time, 60)
        meant = f'"{hours:02}:{minutes:02}"' if 1 <= hours <= 24 else 'a time such as "22:00"'
        yield place, f"{time} is a number to YAML; write {meant}, in quotes"
    elif not _TIME.fullmatch(time) and not (ends and time == "24:00"):
        yield place, f'{time!r} is no time of day; write hours and minutes, such as "07:30" or "22:00"'


def _timezone(place: str, name: str) -> Iterator[Fault]:
    # Only who writes quiet hours pays for time zones.
    import zoneinfo  # noqa: PLC0415

    try:
        zoneinfo.ZoneInfo(name)
        known = name != "localtime"  # what it means differs from machine to machine
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        known = False
    if not known:
        close = difflib.get_close_matches(name, zoneinfo.available_timezones(), n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        yield place, f"unknown timezone {name!r}, expected an IANA name such as 'Europe/Berlin'{meant}"


def _exemption(place: str, exemption: Exemption) -> Iterator[Fault]:
    if not exemption.when.given():
        yield f"{place}.when", "at least one condition is needed; to hold everything, set max_mode"
    for field, value in exemption.when.given().items():
        patterns = value.values() if isinstance(value, dict) else (value,)
        if not value or not all(patterns):
            yield f"{place}.when.{field}", "empty; give a pattern or remove it"
    for index, name in enumerate(exemption.actions):
        yield from _exempted(f"{place}.actions[{index}]", name)
    for field in ("owner", "reason", "ticket"):
        if not getattr(exemption, field).strip():
            yield f"{place}.{field}", "empty; say who decided it, why, and where that is written down"


def _exempted(place: str, name: str) -> Iterator[Fault]:
    known = actions()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else ""
        yield place, f"unknown action {name!r}, expected one of: {', '.join(known)}{meant}"
    elif known[name].observes:
        yield place, f"{name!r} changes nothing on the target and is never held; remove it"


def _names(guardrails: Guardrails) -> Iterator[Fault]:
    """Ceilings and quiet hours share their names, since a decision tells of either in the same words."""
    for fields in (("ceilings", "quiet_hours"), ("exemptions",)):
        seen: dict[str, str] = {}
        for field in fields:
            for index, item in enumerate(getattr(guardrails, field)):
                place = f"{field}[{index}].name"
                if not _NAME.fullmatch(item.name):
                    yield place, f"{item.name!r} must be lower-case letters, digits and '-', as it stands in records"
                elif item.name in seen:
                    yield place, f"{item.name!r} is the name of {seen[item.name]} too; choose another"
                seen[item.name] = f"{field}[{index}]"


def _approval(approval: Approval) -> Iterator[Fault]:
    approvers = approval.approvers
    if approval.needed < 1:
        yield (
            "approval.needed",
            f"{approval.needed}: at least one person must approve; to ask nobody, use mode: enforce",
        )
    if approvers and approval.needed > len(set(approvers)):
        yield "approval.needed", f"{approval.needed} are needed, but approvers lists {len(set(approvers))}"
    yield from _each("approval.approvers", approvers, _PRINCIPAL.fullmatch, "write an e-mail address")
    yield from _duration("approval.expires", approval.expires)


def _storm_breaker(guardrails: Guardrails) -> Iterator[Fault]:
    breaker = guardrails.storm_breaker
    for field in ("targets", "denials"):
        if getattr(breaker, field) < 1:
            yield (
                f"storm_breaker.{field}",
                f"{getattr(breaker, field)} would never let anything be done; write 1 or more",
            )
    yield from _duration("storm_breaker.within", breaker.within)


def _allowed_keys(guardrails: Guardrails) -> Iterator[Fault]:
    for field in ("labels", "annotations"):
        keys = getattr(guardrails.allowed_keys, field)
        yield from _each(f"allowed_keys.{field}", keys, _KEY.fullmatch, "write a whole key; patterns are not read here")


def _each(place: str, values: Iterable[str], fits: Callable[[str], object], remedy: str) -> Iterator[Fault]:
    return ((f"{place}[{index}]", f"{value!r}: {remedy}") for index, value in enumerate(values) if not fits(value))
