"""How an operation stands, by what its message carries."""

from __future__ import annotations

import pytest
from google.cloud import run_v2
from google.longrunning import operations_pb2
from google.protobuf import duration_pb2
from google.rpc import status_pb2

from scc_responder.adapters.google.cloud_run.run_operations import operation_value
from scc_responder.domain.cloud_run.run_reads import RunOperation

NAME = "projects/example-project/locations/europe-west1/operations/1"


def test_an_operation_says_what_it_leaves() -> None:
    """The answer counts, and before there is one, what the operation is about."""
    message = operations_pb2.Operation(name=NAME)
    message.metadata.Pack(run_v2.Service.pb(run_v2.Service(generation=3, etag='"3"')))
    assert operation_value(message) == RunOperation(name=NAME, generation=3, etag='"3"')
    message.done = True
    message.response.Pack(run_v2.Service.pb(run_v2.Service(generation=4, etag='"4"')))
    assert operation_value(message) == RunOperation(name=NAME, done=True, generation=4, etag='"4"')


@pytest.mark.parametrize(("code", "expected"), [(9, "failed_precondition"), (13, "internal"), (99, "code_99")])
def test_a_failed_operation_has_a_code(code: int, expected: str) -> None:
    """A code that nobody knows is told by its number."""
    failed = operations_pb2.Operation(name=NAME, done=True, error=status_pb2.Status(code=code, message="x" * 900))
    value = operation_value(failed)
    assert (value.done, value.error, len(value.message)) == (True, expected, 500)


def test_what_is_not_known_is_left_out() -> None:
    """Another message than one of Cloud Run's says no generation."""
    message = operations_pb2.Operation(name=NAME)
    message.metadata.Pack(duration_pb2.Duration(seconds=1))
    assert operation_value(message) == RunOperation(name=NAME)
