"""One delivery, approval or sweep, run as a program of its own so that it can be killed: deliver|approve|sweep FOLDER.

The folder is laid out by `simulated_cluster.story.story_folder`, or has its settings in `settings.json`; what is
published is appended to `published` in it. The lease has no length, so that what goes on need not wait for it to run
out. LATER: how many seconds from now it is.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from time import sleep

from scc_responder.domain.clock import utc_now
from scc_responder.domain.notices.notice import Notice
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.journal import Journal
from scc_responder.journal.listed_cases import cases_of
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.approvals import AnswerRequest, answer_plan
from scc_responder.pipeline.delivery import respond
from scc_responder.pipeline.services import Services
from scc_responder.pipeline.sweep import sweep
from scc_responder.settings import read_settings
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from tests.findings import push_body
from tests.kits.failpoints import FailingNotifier
from tests.kits.local_failpoints import LocalFailingServices

HERE = {"content-type": "application/json", "host": "127.0.0.1:8080"}


class Topic:
    """`ports.Notifier` in a file, one message a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def tell(self, notice: Notice) -> str:
        """Append the message."""
        with self.path.open("ab") as file:
            file.write(notice.message + b"\n")
        return "1"


def services_of(folder: Path) -> Services:
    """The services of the folder's deployment."""
    given = folder / "settings.json"
    settings = json.loads(given.read_text()) if given.exists() else StoryFolder(folder).settings
    services = LocalFailingServices(read_settings(settings, StoryFolder(folder).policies))
    ahead = timedelta(seconds=float(os.environ.get("LATER", "0")))
    services.clock = lambda: utc_now() + ahead
    services.journal = Journal(services.store, services.clock, lease=timedelta(0))
    services.notifier = FailingNotifier(Topic(folder / "published"), services.failpoints)
    services.tell = lambda _line: None
    services.wait = (lambda seconds: sleep(min(seconds, 0.05))) if given.exists() else (lambda _seconds: None)
    return services


def case_of(folder: Path) -> CaseRecord:
    """The one case of the folder's deployment."""
    (record,) = cases_of(services_of(folder).journal.cases()).records
    return record


def main(what: str, folder: Path) -> Ending:
    """Deliver the folder's finding, approve the plan that its message tells of, or sweep."""
    services = services_of(folder)
    if what == "sweep":
        return sweep(HERE, "127.0.0.1", services)
    if what == "deliver":
        document = (folder / "findings" / "finding.json").read_bytes()
        return respond(push_body(document), {}, services)
    told = json.loads((folder / "published").read_bytes().splitlines()[0])
    body = json.dumps({"case": told["case"], "plan": told["approval"]["digest"]}).encode()
    return answer_plan(AnswerRequest(verb="approve", body=body, headers=HERE, peer="127.0.0.1"), services)


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2])).reason)
