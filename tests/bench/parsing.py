"""What a notification costs the processor: to be opened, parsed and classified, and to be decided upon.

And what policies cost it: to be loaded from their sources, and at a start of the deployed function.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from scc_responder.domain.finding import Threat
from scc_responder.guard.guard import guard
from scc_responder.intake.envelope import open_envelope
from scc_responder.intake.notification import parse_notification
from scc_responder.intake.threats import classify
from scc_responder.policy.compiled import COMPILED_FILE, load_deployed
from scc_responder.policy.decide import Decision, decide
from scc_responder.policy.policy_set import PolicySet
from scc_responder.workbench.explanation import context_of, read_facts
from scc_responder.workbench.policy_files.policy_file import compile_policies, load_policies
from tests.bench.cold import spread
from tests.findings import FOLDER, RUNBOOKS, data, notification, push_body

TYPICAL = RUNBOOKS[1]
MANY = 200
POLICIES = 1000
MATCHING = 10
"""Of so many policies so many match, and plan every action; the others fail at the last of their conditions."""

DEPLOYED = 50
"""As many policies as one deployment is likely to have."""

ACTIONS = ("label_pod", "annotate_pod", "isolate_pod", "capture_evidence", "cordon_node", "delete_pod", "notify")


def parsing(rounds: int = 200) -> dict[str, Any]:
    """Milliseconds of processor time: `parsed` by notification, `decided` by decision, `loaded` by folder."""
    body = push_body(data(notification(TYPICAL)))
    return {
        **loading(),
        "parsed_milliseconds": _measured(lambda: classified(body), rounds),
        "decided_milliseconds": _measured(decider(MANY), rounds),
        "thousand_decided_milliseconds": _measured(decider(POLICIES), rounds),
    }


def loading(rounds: int = 5) -> dict[str, Any]:
    """Milliseconds to load a large folder from its sources, and a deployment's from its compiled form."""
    with written(POLICIES) as large, written(DEPLOYED) as deployed:
        (deployed / COMPILED_FILE).write_bytes(compile_policies(deployed))
        return {
            "loaded_milliseconds": _measured(lambda: load_policies(large), rounds),
            "deployed_load_milliseconds": _measured(lambda: load_deployed(deployed), rounds * 10),
        }


def classified(body: bytes) -> Threat:
    """From a push body to its threat."""
    return classify(parse_notification(open_envelope(body, {}).data))


def decider(count: int) -> Callable[[], Decision]:
    """A decision on the typical notification by so many policies, to be made as often as wanted."""
    finding = parse_notification(notification(TYPICAL))
    context = context_of(finding, read_facts((FOLDER / f"{RUNBOOKS[0]}.context.json").read_bytes(), "context"))
    policies = many_policies(count)
    now = datetime.now(UTC)
    return lambda: guard(context, decide(context, policies.policies), policies.guardrails, now)


def many_policies(count: int) -> PolicySet:
    """A folder of so many policies, as a large organisation could have it."""
    with written(count) as folder:
        return load_policies(folder)


@contextmanager
def written(count: int) -> Iterator[Path]:
    """A folder of so many policies."""
    with tempfile.TemporaryDirectory(prefix="scc-responder-policies-") as name:
        folder = Path(name)
        (folder / "guardrails.yaml").write_text("protected: {namespaces: [kube-system, gke-*]}\n")
        for number in range(count):
            (folder / f"policy-{number}.yaml").write_text(_policy(number, count))
        yield folder


def _policy(number: int, count: int) -> str:
    namespaces = ", ".join(f"team-{number}-{other}-*" for other in range(20))
    matching = ", shop" if number % (count // MATCHING) == 0 else ""
    steps = "".join(f"  - action: {action}\n" for action in ACTIONS)
    return f"""name: policy-{number}
description: One of many.
owner: secops@example.com
mode: enforce
when:
  threat: [reverse_shell, "*_malicious_*", "cloud_run_*"]
  detector: container_threat_detection
  severity: LOW
  surface: pod
  cluster: projects/example-project/locations/*/clusters/*
  namespace: [{namespaces}{matching}]
then:
{steps}"""


def _measured(call: Callable[[], object], rounds: int) -> dict[str, float]:
    call()
    spent = []
    for _ in range(rounds):
        started = time.process_time()
        call()
        spent.append((time.process_time() - started) * 1000)
    return spread(spent)
