"""Options: what a timed ceiling is on, for how long: `--policy`, `--namespace`, `--workload`, `--for`."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta

from scc_responder.cli.terminal.place_options import is_cluster, place_of
from scc_responder.domain.duration import parse_duration
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.mode import Mode
from scc_responder.domain.resource_names import is_namespace, is_object_name
from scc_responder.guard.kill_switch import Setting
from scc_responder.guard.timed.timed_ceilings import TimedCeiling, TimedScope

LONGEST_CEILING = timedelta(days=7)
"""The longest time of a ceiling. What is to stay longer belongs into policies and guardrails."""
_MODES = frozenset({Mode.DRY_RUN, Mode.APPROVE})
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62})", re.ASCII)
_KIND = re.compile(r"[A-Za-z]{1,63}", re.ASCII)
_FORMS = {
    TimedScope.POLICY: "a policy's name, such as isolate-crypto-mining",
    TimedScope.NAMESPACE: "NAMESPACE, or projects/P/locations/L/clusters/C/NAMESPACE",
    TimedScope.WORKLOAD: "projects/P/locations/L/clusters/C/NAMESPACE/KIND/NAME, such as .../shop/Deployment/web",
}
_SHORT_KINDS = {
    "Pod": ("po", "pods"),
    "Deployment": ("deploy", "deployments"),
    "ReplicaSet": ("rs", "replicasets"),
    "StatefulSet": ("sts", "statefulsets"),
    "DaemonSet": ("ds", "daemonsets"),
    "Job": ("jobs",),
    "CronJob": ("cj", "cronjobs"),
    "ReplicationController": ("rc", "replicationcontrollers"),
}
"""What `kubectl` takes for a kind, and no owner is called by: a ceiling on such a name would hold nothing."""
_SLASHES = {TimedScope.POLICY: 0, TimedScope.NAMESPACE: 0, TimedScope.WORKLOAD: 2}
"""How many slashes the name has, without the cluster before it."""


def timed_options(command: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    """Declare the three that name something, of which one may be given."""
    what = command.add_mutually_exclusive_group()
    for scope, form in _FORMS.items():
        what.add_argument(f"--{scope}", default="", metavar="NAME", help=f"this {scope} alone: {form}")
    return what


def length_option(command: argparse.ArgumentParser, longest: str, *, required: bool = False) -> None:
    """Declare `--for`."""
    help_line = f"it ends by itself after this time, such as 2h; {longest} at most"
    command.add_argument("--for", dest="length", default="", metavar="TIME", required=required, help=help_line)


def length_of(options: argparse.Namespace, longest: timedelta, option: str = "--for") -> timedelta:
    """The time that the option says. Raises SettingsError `invalid_duration`."""
    try:
        length = parse_duration(options.length)
    except ValueError as error:
        raise SettingsError("invalid_duration", f"{option}: {error}") from error
    if not timedelta(0) < length <= longest:
        hours = int(longest.total_seconds() // 3600)
        raise SettingsError(
            "invalid_duration", f"{option} {options.length}: give more than nothing, and {hours}h at most"
        )
    return length


def timed_key(options: argparse.Namespace) -> tuple[TimedScope, str, str] | None:
    """What the options name, as a ceiling's key: scope, name and place; None without them. Raises SettingsError."""
    given = ((scope, getattr(options, scope, "")) for scope in TimedScope)
    scope, text = next((pair for pair in given if pair[1]), (None, ""))
    if scope is None:
        return None
    parts = text.rsplit("/", _SLASHES[scope] + 1) if scope is not TimedScope.POLICY else [text]
    cluster, names = (parts[0], parts[1:]) if len(parts) == _SLASHES[scope] + 2 else ("", parts)
    place = place_of(options)
    well_formed = _is_name(scope, names) and (not cluster or (is_cluster(cluster) and not place))
    if not well_formed or (scope is TimedScope.WORKLOAD and not (cluster or place)):
        raise SettingsError(f"invalid_{scope}", f"--{scope} {text}: give {_FORMS[scope]}")
    if scope is TimedScope.WORKLOAD:
        _check_kind(text, names[1])
    return scope, "/".join(names), cluster or place


def timed_ceiling(key: tuple[TimedScope, str, str], setting: Setting, length: timedelta, now: datetime) -> TimedCeiling:
    """The ceiling on what the key names. Raises SettingsError `invalid_mode`."""
    if setting.mode not in _MODES:
        told = "set dry_run or approve for a while; scc-responder control clear ends it before its time"
        raise SettingsError("invalid_mode", f"{setting.mode}: {told}")
    scope, name, place = key
    return TimedCeiling(
        scope=scope,
        name=name,
        place=place,
        mode=setting.mode,
        reason=setting.reason,
        by=setting.by,
        at=setting.at,
        until=now + length,
    )


def _check_kind(text: str, kind: str) -> None:
    for meant, short in _SHORT_KINDS.items():
        if kind.lower() in short:
            raise SettingsError("invalid_workload", f"--workload {text}: give the kind in full, {meant}")


def _is_name(scope: TimedScope, names: list[str]) -> bool:
    if scope is TimedScope.POLICY:
        return _NAME.fullmatch(names[0]) is not None
    if scope is TimedScope.NAMESPACE:
        return len(names) == 1 and is_namespace(names[0])
    namespace, kind, name = names if len(names) == 3 else ("", "", "")
    return is_namespace(namespace) and _KIND.fullmatch(kind) is not None and is_object_name(name)
