"""Failpoints in a function that runs from a checkout, with clusters and findings in files."""

from __future__ import annotations

from scc_responder.workbench.local_services import LocalServices
from tests.kits.failpoints import FailingServices


class LocalFailingServices(FailingServices, LocalServices):
    """Local services, their ports wrapped."""
