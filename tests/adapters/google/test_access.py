"""What may be done is asked of Pub/Sub, Cloud Storage and GKE, and their answers are read for what they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from scc_responder.adapters.google.gke.gke_listing import GkeListing
from scc_responder.adapters.google.pubsub.pubsub_access import PubSubAccess
from scc_responder.adapters.google.storage.bucket_access import BucketAccess
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.emulator import Emulator
from tests.kits.google.fronts import PubSubWithIam, Storage
from tests.kits.google.grpc_servers import ClusterManagerServer, cluster

BUCKET = "example-evidence"


@pytest.fixture
def storage() -> Iterator[Storage]:
    """A bucket of this test's own."""
    with Storage(BUCKET) as server:
        yield server


@pytest.fixture
def pubsub(emulator: Emulator) -> Iterator[PubSubAccess]:
    """The adapter, with the emulator."""
    access = PubSubAccess(emulator=emulator.host, wait_seconds=2)
    yield access
    access.close()


def test_a_bucket_is_read_and_never_written(storage: Storage) -> None:
    """Permission, retention and the server's time are asked for; nothing is written."""
    bucket = BucketAccess(BUCKET, emulator=storage.host)
    assert bucket.server_time() is None
    assert (bucket.may_create(), bucket.retention_seconds()) == (True, 31536000)
    assert bucket.server_time() is not None
    storage.held.clear()
    assert bucket.may_create() is False
    storage.always = (200, {"permissions": ["storage.objects.get"]})
    assert bucket.may_create() is False
    storage.always = None
    assert all(path.startswith(f"/storage/v1/b/{BUCKET}") for path in storage.requests)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (200, [], "storage_unusable_answer"),
        (500, {}, "storage_unusable_answer"),
        (302, {}, "storage_unusable_answer"),
        (403, {}, "storage_forbidden"),
        (404, {}, "bucket_not_found"),
    ],
)
def test_an_unusable_answer_never_reads_as_permission(storage: Storage, status: int, body: Any, reason: str) -> None:
    """An answer that is none is an error: it never reads as a permission."""
    storage.always = (status, body)
    with pytest.raises(ApiError) as raised:
        BucketAccess(BUCKET, emulator=f"http://{storage.host}").may_create()
    assert raised.value.reason == reason


@pytest.mark.parametrize("policy", [{}, {"retentionPolicy": None}, {"retentionPolicy": {"retentionPeriod": "-1"}}])
def test_an_unusable_retention_counts_as_none(storage: Storage, policy: dict[str, Any]) -> None:
    """What is no retention counts as none."""
    storage.retention = json.loads(json.dumps(policy))
    assert BucketAccess(BUCKET, emulator=storage.host).retention_seconds() == 0


def test_plaintext_is_for_this_machine() -> None:
    """No other server than one on this machine is asked without TLS, or without credentials."""
    with pytest.raises(SettingsError, match="STORAGE_EMULATOR_HOST"):
        BucketAccess(BUCKET, emulator="http://storage.example.com:80")
    with pytest.raises(SettingsError, match="PUBSUB_EMULATOR_HOST"):
        PubSubAccess(emulator="pubsub.example.com:80")
    with pytest.raises(SettingsError, match="GKE_ENDPOINT"):
        GkeListing(endpoint="container.example.com:80")


def test_dead_letters_are_given_back(pubsub: PubSubAccess, emulator: Emulator) -> None:
    """A message that was counted is still there for whoever handles it, at once."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    assert pubsub.waiting(topology.dead_letter_subscription, 10) == 0
    for number in range(3):
        emulator.publish(topology.dead_letter_topic, str(number).encode())
    assert 1 <= pubsub.waiting(topology.dead_letter_subscription, 2) <= 2
    received = emulator.pull(topology.dead_letter_subscription, count=3, seconds=8)
    assert sorted(message.data for message in received) == [b"0", b"1", b"2"]


def test_a_topic_lists_its_subscriptions(pubsub: PubSubAccess, emulator: Emulator) -> None:
    """A topic's subscriptions, and whether there is such a topic; the emulator's lack of IAM is an error, no answer."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    assert pubsub.subscriptions_of(topology.dead_letter_topic) == [topology.dead_letter_subscription]
    assert pubsub.has_topic(topology.outcome_topic)
    assert not pubsub.has_topic("projects/example-project/topics/absent")
    with pytest.raises(ApiError) as raised:
        pubsub.may_publish(topology.outcome_topic)
    assert raised.value.status == 501


def test_expiry_by_default(pubsub: PubSubAccess, emulator: Emulator) -> None:
    """A subscription that says nothing of its expiry has Pub/Sub's 31 days."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    assert pubsub.subscription(topology.subscription).expires_after_seconds == 31 * 86400


def test_permission_to_publish_comes_from_iam(emulator: Emulator) -> None:
    """The permission to publish is what IAM says, and nothing is published."""
    topology = emulator.deploy("http://127.0.0.1:1/")
    with PubSubWithIam(emulator.host) as front:
        access = PubSubAccess(emulator=front.host)
        assert access.may_publish(topology.outcome_topic) is True
        front.held.clear()
        assert access.may_publish(topology.outcome_topic) is False
        access.close()
    assert emulator.is_empty(topology.outcome_subscription)


def test_clusters_are_listed_by_location_or_all(cluster_manager: ClusterManagerServer) -> None:
    """The clusters of one project, in one location or in all."""
    for path in ("a/locations/l/clusters/one", "a/locations/m/clusters/two", "b/locations/l/clusters/three"):
        location, name = path.split("/")[2], path.rpartition("/")[2]
        cluster_manager.clusters[f"projects/{path}"] = cluster({"name": name, "location": location})
    listing = GkeListing(endpoint=cluster_manager.endpoint)
    assert [ref.name for ref in listing.clusters("a", "*")] == ["one", "two"]
    assert [ref.path for ref in listing.clusters("a", "m")] == ["projects/a/locations/m/clusters/two"]


def test_a_refused_listing_names_the_permission(cluster_manager: ClusterManagerServer) -> None:
    """The permission that is missing is named."""
    cluster_manager.fail_next(grpc.StatusCode.PERMISSION_DENIED, "denied")
    with pytest.raises(ApiError) as raised:
        GkeListing(endpoint=cluster_manager.endpoint).clusters("a", "*")
    assert raised.value.permission == "container.clusters.list"
