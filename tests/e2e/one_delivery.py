"""One delivery in a process of its own, which a crash test can kill: `python -m tests.e2e.one_delivery < BODY`.

Settings come from the environment, as in the deployed function; so do failpoints. Prints the HTTP status.
LEASE_SECONDS, where set, is how long a claim holds: a test cannot make the entries of every store older.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from pathlib import Path

from scc_responder.journal.journal import Journal
from scc_responder.pipeline.delivery import respond
from scc_responder.settings import read_settings
from tests.kits.local_failpoints import LocalFailingServices

if __name__ == "__main__":
    services = LocalFailingServices(read_settings(os.environ, Path("policies")))
    if seconds := os.environ.get("LEASE_SECONDS"):
        services.journal = Journal(services.store, services.clock, lease=timedelta(seconds=float(seconds)))
    ending = respond(sys.stdin.buffer.read(), {}, services)
    print(ending.status)
