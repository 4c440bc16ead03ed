"""Three cases from the real pipeline, and their accounts: `python -m tests.kits.account_cases` writes the golden ones.

A pod whose added binary was contained; a roll-back of Cloud Run that waits for a person; a case that its cluster held.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from scc_responder.cli.case.reports.same_digest import with_same_digest
from scc_responder.domain.errors import ApiError
from scc_responder.domain.reasons import Reason
from scc_responder.entrypoint.console.account_text import account_text
from scc_responder.journal.account.account import account_of
from scc_responder.journal.case import CaseRecord
from scc_responder.workbench.simulated_cluster.simulated_cluster import SimulatedCluster
from tests.kits.checkout_deployment import escape, run_deployed, run_policy
from tests.kits.compromised_pod import small
from tests.kits.responder import ALL, Deployment, Interposed, deployed, finding_about, policy

GOLDEN = Path(__file__).parents[1] / "journal" / "account" / "golden"
FUNCTION = "https://responder.example.com"
_STANDS_FOR = (
    (r"\d{4}-\d\d-\d\d[ T]\d\d(?::|%3A)\d\d(?::|%3A)\d\d", "TIME"),
    (r"manifest-[0-9a-f]{16}", "manifest-HASH"),
    (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"web-[0-9a-f]{10}-[a-z0-9]{5}", "web-POD"),
    (r"web-[0-9a-f]{10}", "web-REPLICASET"),
    (r"sha256 [0-9a-f]{64}", "sha256 HASH"),
    (r"--plan [0-9a-f]{64}", "--plan DIGEST"),
    (r"\d+\.\d s ", "SECONDS s "),
)
"""What differs from one run to the next."""


class AccountCase(NamedTuple):
    """A case, the deployment in which it is, its notification, and the pod that it is about."""

    deployment: Deployment
    record: CaseRecord
    document: dict[str, Any]
    pod: dict[str, Any]
    cluster: SimulatedCluster


@contextmanager
def contained_case(folder: Path) -> Iterator[AccountCase]:
    """An added binary was run in a pod: the pod was isolated, kept and deleted."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        pod = small(cluster).objects("Pod", "shop")[0]
        asked = policy(*ALL, when="threat: added_binary_executed")
        deployment = deployed(folder, cluster, asked)
        yield _case(deployment, finding_about(pod, "added_binary_executed"), pod, cluster)


@contextmanager
def waiting_case(folder: Path) -> Iterator[AccountCase]:
    """A service of Cloud Run is to be rolled back and cut off, once a person approves it."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        steps = run_policy("capture_evidence", "roll_back_service", "cut_ingress", "notify")
        with run_deployed(folder, small(cluster), steps) as running:
            yield _case(running, escape(), {}, cluster)


@contextmanager
def held_case(folder: Path) -> Iterator[AccountCase]:
    """The owner of the cluster lets nothing be changed in it."""
    with SimulatedCluster(stop_seconds=0) as cluster:
        pod = small(cluster).objects("Pod", "shop")[0]
        deployment = deployed(folder, cluster, policy("label_pod", "isolate_pod", "capture_evidence", "cordon_node"))
        deployment.clusters.api = Interposed(deployment.clusters.api, _paused)
        yield _case(deployment, finding_about(pod), pod, cluster)


CASES = {"contained": contained_case, "waiting": waiting_case, "held": held_case}


def golden_account(case: AccountCase) -> str:
    """The case's account as text, with a word in place of what differs from one run to the next."""
    account = with_same_digest(account_of(case.record, function_url=FUNCTION), case.record, ())
    text = "\n".join(account_text(account))
    for pattern, word in _STANDS_FOR:
        text = re.sub(pattern, word, text)
    return f"{text}\n"


def _case(
    deployment: Deployment, document: dict[str, Any], pod: dict[str, Any], cluster: SimulatedCluster
) -> AccountCase:
    deployment.respond_to(document)
    return AccountCase(deployment, deployment.case(document), document, pod, cluster)


def _paused(_number: int, verb: str, _path: str) -> None:
    if verb in {"create", "patch", "delete"}:
        raise ApiError(Reason.ADMISSION_DENIED, "is disabled", status=403, refused_by="scc-responder-mode")


def main() -> None:
    """Write the golden accounts. Read the difference."""
    GOLDEN.mkdir(exist_ok=True)
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder, case(Path(folder)) as made:
            (GOLDEN / f"{name}.txt").write_text(golden_account(made), encoding="utf-8")


if __name__ == "__main__":
    main()
