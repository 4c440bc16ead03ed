"""Which other cases a pod has: by its labels, and by the policies that isolate it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from scc_responder.adapters.local.sqlite_store import SqliteStore
from scc_responder.domain.changes import stored
from scc_responder.domain.changes.patch_object import PatchObject
from scc_responder.domain.clock import utc_now
from scc_responder.domain.labels import ISOLATED_POD, case_labels
from scc_responder.journal.case import CaseRecord
from scc_responder.journal.case_json import encode
from scc_responder.journal.journal import Journal
from scc_responder.journal.step import Step
from scc_responder.pipeline.undo.pod_cases import PodCases, pod_cases
from tests.kits.one_change import one_cluster, pod_target
from tests.kits.responder import api_of

OWN, MARKING, ISOLATING, UNKNOWN = ("a" * 64, "b" * 64, "c" * 64, "d" * 64)


def record(key: str, *steps: Step) -> CaseRecord:
    return CaseRecord(
        finding_key=key, finding_name=key, event_time=datetime(2026, 3, 2, tzinfo=UTC), digest="", steps=steps
    )


def test_each_other_case_is_found_once(tmp_path: Path) -> None:
    """One that marks the pod and one that isolates it; a policy whose case the store lacks is named by its pod."""
    store = SqliteStore(tmp_path / "journal.db")
    for key in (OWN, MARKING, ISOLATING):
        store.create(f"case/{key}", encode(record(key)))
    with one_cluster() as (cluster, _means):
        target = pod_target(cluster)
        change = PatchObject(kind="Pod", **target, labels={"scc-responder/a": "b"})
        own = record(OWN, Step(action_id="id", change=stored(change), expected_uid=target["uid"]))
        labels = {**case_labels(OWN), **case_labels(MARKING), "scc-responder/case-is-not-one": ""}
        admin, path = api_of(cluster, "admin"), f"/api/v1/namespaces/shop/pods/{target['name']}"
        admin.patch(path, {"metadata": {"labels": labels}})
        label = {ISOLATED_POD: target["uid"]}
        for key in (ISOLATING, UNKNOWN):
            meta = {"name": f"scc-responder-{key[:12]}-{target['uid'][:8]}", "namespace": "shop", "labels": label}
            policy = {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": meta}
            admin.create(
                "/apis/networking.k8s.io/v1/namespaces/shop/networkpolicies",
                {**policy, "spec": {"podSelector": {"matchLabels": label}, "policyTypes": ["Ingress", "Egress"]}},
            )
        api, journal = api_of(cluster, "undo"), Journal(store, utc_now)
        found = pod_cases(api, journal, own, own.steps)
        assert (set(found.records), found.foreign) == ({MARKING, ISOLATING}, {target["uid"]})
        admin.delete(path, {})
        assert set(pod_cases(api, journal, own, own.steps).records) <= {ISOLATING}
        assert pod_cases(api, journal, own, ()) == PodCases()
    store.close()
