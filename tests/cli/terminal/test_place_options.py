"""A place on the command line is a cluster or a project."""

from __future__ import annotations

import argparse

import pytest

from scc_responder.cli.terminal.place_options import place_of, place_options
from scc_responder.domain.errors import SettingsError

PROD = "projects/example-project/locations/europe-west1/clusters/prod-1"


def given(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    place_options(parser, "a project")
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "place"),
    [((), ""), (("--cluster", PROD), PROD), (("--project", "example-project"), "projects/example-project")],
)
def test_a_place_is_a_path(words: tuple[str, ...], place: str) -> None:
    """The path that stored documents are about."""
    assert place_of(given(*words)) == place


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--cluster", "prod-1"), "invalid_cluster"),
        (("--cluster", PROD.replace("locations", "zones")), "invalid_cluster"),
        (("--project", "projects/example-project"), "invalid_project"),
        (("--project", "*"), "invalid_project"),
        (("--project", "100000000001"), "invalid_project"),
    ],
)
def test_another_spelling_is_refused(words: tuple[str, ...], reason: str) -> None:
    """A document about it would hold nowhere."""
    with pytest.raises(SettingsError) as caught:
        place_of(given(*words))
    assert caught.value.reason == reason
