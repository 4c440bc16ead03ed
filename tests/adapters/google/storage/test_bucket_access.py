"""What may be done with a bucket is asked of Cloud Storage, and its answers are read for what they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from scc_responder.adapters.google.gke.gke_listing import GkeListing
from scc_responder.adapters.google.pubsub.pubsub_access import PubSubAccess
from scc_responder.adapters.google.storage.bucket_access import BucketAccess
from scc_responder.domain.errors import ApiError, SettingsError
from tests.kits.google.fronts import Storage

BUCKET = "example-evidence"


@pytest.fixture
def storage() -> Iterator[Storage]:
    """A bucket of this test's own."""
    with Storage(BUCKET) as server:
        yield server


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
