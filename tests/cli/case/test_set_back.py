"""What a case changed on Cloud Run can be set back by hand: the state of before, and lines that `gcloud` takes."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest

from scc_responder.cli.case import case_text
from scc_responder.cli.case.set_back import set_back
from scc_responder.domain.changes import Change, stored
from scc_responder.domain.changes.cloud_run.restrict_access import AccessSettings, RestrictAccess
from scc_responder.domain.changes.cloud_run.scale_service import ScaleService
from scc_responder.domain.changes.cloud_run.set_invokers import SetInvokers
from scc_responder.domain.changes.cloud_run.shift_traffic import ShiftTraffic
from scc_responder.domain.clock import utc_now
from scc_responder.domain.cloud_run.run_objects import RunIamBinding, RunScaling, RunTraffic
from scc_responder.domain.status import StepStatus
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.step import Step
from tests.docs.examples import ROOT, commands

PATH = "projects/example-project/locations/europe-west1/services/checkout"
TO: dict[str, Any] = {"path": PATH, "uid": "u"}
PLACE = "checkout --project=example-project --region=europe-west1"
GOOD, BAD = "checkout-00001-abc", "checkout-00002-abc"
LATEST = RunTraffic(latest=True, percent=100)
CANARY = RunTraffic(revision=BAD, tag="canary")
FLAGS = {
    "update-traffic": {"--to-revisions", "--to-latest", "--update-tags"},
    "update": {
        *("--scaling", "--min", "--max", "--ingress", "--default-url", "--no-default-url"),
        *("--invoker-iam-check", "--no-invoker-iam-check"),
    },
    "add-iam-policy-binding": {"--member", "--role"},
    "get-iam-policy": {"--format"},
}
"""The options of `gcloud run services` that set something back, by its commands."""


def shifted(*prior: RunTraffic) -> ShiftTraffic:
    """The requests of before went to these."""
    return ShiftTraffic(to=GOOD, prior=prior, retired=(BAD,), **TO)


def scaled(*tags: RunTraffic, **prior: Any) -> ScaleService:
    """It scaled so before, and had these tags."""
    return ScaleService(prior=RunScaling(**prior), tags=tags, **TO)


def invoked(condition: str = "") -> SetInvokers:
    """Anybody was let in before."""
    return SetInvokers(
        members=(RunIamBinding(role="roles/run.invoker", members=("allUsers",), condition=condition),), **TO
    )


def cut(**prior: Any) -> RestrictAccess:
    """These settings were so before."""
    return RestrictAccess(wanted=AccessSettings(), prior=AccessSettings(**prior), **TO)


CHANGES: list[tuple[Change, list[str]]] = [
    (shifted(LATEST), [f"update-traffic {PLACE} --to-latest"]),
    (
        shifted(RunTraffic(latest=True, percent=50), RunTraffic(revision=BAD, percent=50), CANARY),
        [
            f"update-traffic {PLACE} --to-revisions=LATEST=50,{BAD}=50",
            f"update-traffic {PLACE} --update-tags=canary={BAD}",
        ],
    ),
    (
        shifted(RunTraffic(revision=BAD, percent=60, tag="a"), RunTraffic(revision=BAD, percent=40)),
        [f"update-traffic {PLACE} --to-revisions={BAD}=100", f"update-traffic {PLACE} --update-tags=a={BAD}"],
    ),
    (
        scaled(CANARY, RunTraffic(latest=True, tag="next"), mode="AUTOMATIC", minimum=1, maximum=20),
        [
            f"update {PLACE} --scaling=auto --min=1 --max=20",
            f"update-traffic {PLACE} --update-tags=canary={BAD},next=LATEST",
        ],
    ),
    (scaled(), [f"update {PLACE} --scaling=auto --min=0 --max=default"]),
    (scaled(mode="MANUAL", manual=3), [f"update {PLACE} --scaling=3"]),
    (
        cut(ingress="INGRESS_TRAFFIC_ALL", default_uri_disabled=False),
        [f"update {PLACE} --ingress=all", f"update {PLACE} --default-url"],
    ),
    (
        cut(ingress="INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"),
        [f"update {PLACE} --ingress=internal-and-cloud-load-balancing"],
    ),
    (cut(invoker_iam_disabled=True), [f"update {PLACE} --no-invoker-iam-check"]),
    (invoked(), [f"add-iam-policy-binding {PLACE} --member=allUsers --role=roles/run.invoker"]),
    (invoked("request.time < x"), [f"get-iam-policy {PLACE} --format=json"]),
]


def step(change: Change, status: StepStatus = StepStatus.DONE, reason: str = "access_cut") -> Step:
    """The change, which ended so."""
    return Step(action_id="a", action="any", status=status, reason=reason, change=stored(change), epoch=1)


def check_form(line: str) -> None:
    """It names the service, its project and region, and no option that the command does not take."""
    words = shlex.split(line)
    assert words[:3] == ["gcloud", "run", "services"]
    flags = {re.split("[= ]", word)[0] for word in words[4:] if word.startswith("--")} - {"--project", "--region"}
    assert flags
    assert flags <= FLAGS[words[3]]


@pytest.mark.parametrize(("change", "lines"), CHANGES)
def test_each_change_has_lines_that_set_it_back(change: Change, lines: list[str]) -> None:
    """By the state of before alone, `LATEST` and tags included."""
    (made,) = set_back([step(change)])
    assert list(made.lines) == [f"gcloud run services {line}" for line in lines]
    assert made.before
    for line in made.lines:
        check_form(line)


@pytest.mark.parametrize(
    ("status", "reason", "shown"),
    [
        (StepStatus.DONE, "access_cut", True),
        (StepStatus.NOT_EFFECTIVE, "still_served", True),
        (StepStatus.FAILED, "reconciling", True),
        (StepStatus.FAILED, "cloud_run_permission_denied", False),
        (StepStatus.DONE, "already", False),
        (StepStatus.SKIPPED, "already_retired", False),
        (StepStatus.WAITING, "waiting_for_approval", False),
    ],
)
def test_only_what_was_made_is_set_back(status: StepStatus, reason: str, shown: bool) -> None:
    """What failed before it was sent, or stood so before, is nothing of ours."""
    assert bool([*set_back([step(invoked(), status, reason)])]) is shown


def test_a_case_shows_them_last_change_first() -> None:
    """With what was before; a text in them that hides something is made visible."""
    hidden = replaced(stored(invoked()), "allUsers", "user:a\u202e\x1b[31m;`id`@example.com")
    steps = (
        step(shifted(LATEST, CANARY)),
        Step(action_id="b", action="x", status=StepStatus.DONE, change=hidden, epoch=1),
    )
    record = CaseRecord(finding_key="k" * 64, finding_name="n", event_time=utc_now(), digest="d", steps=steps)
    text = "\n".join(case_text.case(record, utc_now())).partition("To set it back by hand")[2]
    assert text.index("before: user:a") < text.index(
        f"before: requests went to the latest revision 100 %, {BAD} by its tag"
    )
    assert not {"\u202e", "\x1b"} & set(text)
    assert "'--member=user:a" in text


def replaced(change: dict[str, Any], member: str, by: str) -> dict[str, Any]:
    """The stored change with another member."""
    (binding,) = change["members"]
    return {
        **change,
        "members": [{**binding, "members": [by if each == member else each for each in binding["members"]]}],
    }


def test_a_change_that_kept_no_fields_shows_nothing() -> None:
    """A case too large for the store keeps the names alone; a change of a later version is not understood."""
    left = [Step(action_id="a", status=StepStatus.DONE, change={"change": name}) for name in ("shift_traffic", "later")]
    assert [*set_back([*left, Step(action_id="a", status=StepStatus.DONE)])] == []


def test_the_page_has_lines_of_the_same_form() -> None:
    """docs/deploy.md shows each of them, for a service of no case."""
    page = (ROOT / "docs" / "deploy.md").read_text().partition("\n## Taken back by hand\n")[2].partition("\n## ")[0]
    lines = [line for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL) for line in commands(block)]
    for line in lines:
        check_form(line)
    assert {shlex.split(line)[3] for line in lines} == FLAGS.keys() - {"get-iam-policy"}
