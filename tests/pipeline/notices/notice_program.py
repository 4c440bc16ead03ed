"""One delivery or sweep that tells by routes, as a program that can be killed: deliver|sweep FOLDER.

The folder is laid out by `simulated_cluster.story.story_folder`, with `routes.yaml` among its policies and the secrets
that it names in `secrets`. LATER: how many seconds from now it is.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from scc_responder.domain.clock import utc_now
from scc_responder.journal.journal import Journal
from scc_responder.journal.messages import Ending
from scc_responder.pipeline.delivery import respond
from scc_responder.pipeline.services import Services
from scc_responder.pipeline.sweep import sweep
from scc_responder.settings import read_settings
from scc_responder.workbench.simulated_cluster.story.story_folder import StoryFolder
from tests.findings import push_body
from tests.kits.answers import HERE
from tests.kits.local_failpoints import LocalFailingServices


def services_of(folder: Path, later: float = 0) -> Services:
    """The services of the folder's deployment, so many seconds from now."""
    story = StoryFolder(folder)
    given = {**story.settings, "SCC_RESPONDER_NOTICE_SECRETS": str(folder / "secrets")}
    services = LocalFailingServices(read_settings(given, story.policies))
    services.clock = lambda: utc_now() + timedelta(seconds=later)
    services.journal = Journal(services.store, services.clock, lease=timedelta(0))
    services.tell = lambda _line: None
    services.wait = lambda _seconds: None
    return services


def main(what: str, folder: Path, later: float = 0) -> Ending:
    """Deliver the folder's finding, or sweep."""
    services = services_of(folder, later)
    if what == "sweep":
        return sweep(HERE, "127.0.0.1", services)
    return respond(push_body((folder / "findings" / "finding.json").read_bytes()), {}, services)


if __name__ == "__main__":
    print(main(sys.argv[1], Path(sys.argv[2]), float(os.environ.get("LATER", "0"))).reason)
