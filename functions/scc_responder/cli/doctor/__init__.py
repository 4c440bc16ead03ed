"""Say whether a deployment can really respond: everything it needs is probed, and nothing is changed.

The settings are those of the function: from the environment, or from a file that Terraform writes. Run it as who the
function is, so that it sees what the function sees; what only others may look at is `unknown` then, and says for whom:

  terraform output -raw settings > responder.env
  gcloud auth application-default login --impersonate-service-account=IDENTITY
  scc-responder doctor --settings responder.env
  scc-responder doctor --settings responder.env --only delivery      as yourself: subscription and dead letters

The function may not list clusters. Where its settings have a pattern of them, list them as yourself:

  gcloud container clusters list --project=PROJECT \
    --format='value(format("projects/PROJECT/locations/{0}/clusters/{1}", location, name))' |
    scc-responder doctor --settings responder.env --clusters-from -

Every fault comes with what fixes it. In the store, doctor writes one entry of its own, doctor/probe; changes to
clusters are sent with dryRun=All; dead letters are looked at and given back. Exit 1 if there is a fault.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path

from scc_responder.cli.doctor.doctor_clusters import Wanted, parse_clusters
from scc_responder.cli.doctor.doctor_probes import GROUPS, Doctor
from scc_responder.cli.doctor.doctor_report import doctor_json, doctor_text
from scc_responder.cli.terminal.progress import shown
from scc_responder.cli.terminal.settings_file import settings_environment, text_of
from scc_responder.domain.clock import utc_now
from scc_responder.domain.cloud_run.run_names import RunName
from scc_responder.domain.errors import SettingsError
from scc_responder.settings import VARIABLE_PREFIX
from scc_responder.workbench.doctor.check import CheckResult

SECONDS = 120.0


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `doctor`."""
    parser.add_argument("--settings", metavar="FILE", help="NAME=VALUE lines, in place of the environment's")
    parser.add_argument(
        "--policies", type=Path, metavar="DIR", help="the local policies (default: as the settings say)"
    )
    parser.add_argument(
        "--cluster",
        action="append",
        default=[],
        metavar="NAME",
        help="this cluster: a full name, or a pattern of names; may be given several times",
    )
    parser.add_argument(
        "--clusters-from",
        metavar="FILE",
        help="the clusters that it lists, one full name to a line; - is standard input",
    )
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        metavar="NAME",
        help="a service or job of Cloud Run to ask about, by its full name; may be given several times",
    )
    parser.add_argument("--only", action="append", choices=GROUPS, metavar="GROUP", help=f"one of {', '.join(GROUPS)}")
    parser.add_argument("--seconds", type=_seconds, default=SECONDS, metavar="N", help="how long it may take at most")
    parser.add_argument(
        "--notify", action="store_true", help="send a test message by each route, in place of only reaching it"
    )
    parser.add_argument("--strict", action="store_true", help="exit 1 also if something is unknown")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="what to print")


def run(options: argparse.Namespace) -> int:
    """Probe, and print the checks."""
    environment = _environment(options)
    for name in options.service:
        if RunName.parse(name) is None:
            expected = "projects/P/locations/L/services/N or projects/P/locations/L/jobs/N"
            raise SettingsError("wrong_use", f"--service: {name!a} is not {expected}")
    wanted = {"clusters": _wanted(options), "services": options.service, "only": options.only or GROUPS}
    wanted["sends"] = options.notify
    with Doctor(environment, clock=utc_now, **wanted) as doctor:
        checks = doctor.examined(options.seconds, lambda answers, total: shown(answers, total, "probes"))
    if options.format == "json":
        print(json.dumps(doctor_json(checks), indent=2))
    else:
        print("\n".join(doctor_text(checks)))
    failing = {CheckResult.FAULT, CheckResult.UNKNOWN} if options.strict else {CheckResult.FAULT}
    return 1 if any(check.result in failing for check in checks) else 0


def _wanted(options: argparse.Namespace) -> Wanted:
    """The clusters that are named. Raises SettingsError."""
    file = options.clusters_from
    refs = None if file is None else parse_clusters(text_of(file), "standard input" if file == "-" else file)
    return Wanted(names=tuple(options.cluster), refs=refs)


def _environment(options: argparse.Namespace) -> Mapping[str, str]:
    """The environment, with the file's settings in place of its own. Raises SettingsError."""
    given = settings_environment(options.settings)
    if options.policies:
        given[f"{VARIABLE_PREFIX}POLICIES"] = str(options.policies)
    return given


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 3600, not {text!a}")
    return seconds
