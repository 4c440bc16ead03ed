"""The deployment that `doctor` examines: the function's settings, and what only Terraform knows.

SCC_RESPONDER_SUBSCRIPTION       projects/P/subscriptions/S: what brings findings to the function
SCC_RESPONDER_TOPIC              projects/P/topics/T: where findings are published
SCC_RESPONDER_PUSH_ENDPOINT      where it has to push to: the function's https:// URL
SCC_RESPONDER_PUSH_IDENTITY      the service account whose ID token it has to send
SCC_RESPONDER_TIMEOUT_SECONDS    the function's timeout
SCC_RESPONDER_SCOPE              organizations/O, folders/F or projects/P: whose findings it responds to
SCC_RESPONDER_IDENTITY           the function's own service account
SCC_RESPONDER_TOKENINFO          http:// address on this machine of another server that says whose a token is
SCC_RESPONDER_CLOUD_RUN_PROJECTS  projects whose services and jobs of Cloud Run the function may read, comma-separated
SCC_RESPONDER_HEARTBEAT_MINUTES  minutes between two heartbeats
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.value import Value
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.doctor.check import OR

_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)=(?P<value>.*)", re.ASCII)
_FORMS = {
    "subscription": r"projects/[^/]+/subscriptions/[^/]+",
    "topic": r"projects/[^/]+/topics/[^/]+",
    "push_endpoint": r"https?://\S+",
    "push_identity": r"\S+@\S+",
    "timeout_seconds": r"[0-9]{1,5}",
    "scope": r"(?:organizations|folders)/[0-9]+|projects/[a-z0-9][a-z0-9.:-]*",
    "identity": r"\S+@\S+",
    "tokeninfo": r"http://\S+",
    "cloud_run_projects": r"[a-z][a-z0-9.:-]*(?:,[a-z][a-z0-9.:-]*)*",
    "heartbeat_minutes": r"[0-9]{1,4}",
}


class Deployment(Value, frozen=True, kw_only=True):
    """What Terraform made. Empty strings and 0 mean "not given"."""

    subscription: str = ""
    topic: str = ""
    push_endpoint: str = ""
    push_identity: str = ""
    timeout_seconds: int = 0
    scope: str = ""
    identity: str = ""
    tokeninfo: str = ""
    cloud_run_projects: tuple[str, ...] = ()
    heartbeat_minutes: int = 0


def given(name: str) -> str:
    """The fix of a variable that is not set."""
    return f"terraform output -raw settings > responder.env{OR}set {VARIABLE_PREFIX}{name}"


def parse_environment(text: str, file: str) -> dict[str, str]:
    """The variables of an env file: `NAME=VALUE` lines. Raises SettingsError with file and line.

    >>> parse_environment("# of Terraform" + chr(10) + "export A='b c'", "x.env")
    {'A': 'b c'}
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        match = _LINE.fullmatch(stripped)
        if match is None:
            raise SettingsError("invalid_settings_file", f"{file}:{number}: must be NAME=VALUE")
        if match["name"] in found:
            raise SettingsError("invalid_settings_file", f"{file}:{number}: {match['name']} is given twice")
        found[match["name"]] = _unquoted(match["value"].strip())
    return found


def read_deployment(environment: Mapping[str, str]) -> Deployment:
    """What the environment says of the deployment. Raises SettingsError that names the variable."""
    found = {field: environment.get(f"{VARIABLE_PREFIX}{field.upper()}", "") for field in _FORMS}
    for field, value in found.items():
        if value and not re.fullmatch(_FORMS[field], value, re.ASCII):
            raise SettingsError("invalid_setting", f"{VARIABLE_PREFIX}{field.upper()}: {value!a} is not one")
    return Deployment(
        subscription=found["subscription"],
        topic=found["topic"],
        push_endpoint=found["push_endpoint"],
        push_identity=found["push_identity"],
        timeout_seconds=int(found["timeout_seconds"] or 0),
        scope=found["scope"],
        identity=found["identity"],
        tokeninfo=found["tokeninfo"],
        cloud_run_projects=tuple(filter(None, found["cloud_run_projects"].split(","))),
        heartbeat_minutes=int(found["heartbeat_minutes"] or 0),
    )


def _unquoted(value: str) -> str:
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if is_quoted else value
