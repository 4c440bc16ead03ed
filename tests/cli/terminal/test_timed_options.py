"""What people type to lower one policy, namespace or workload for a while, and what is refused."""

from __future__ import annotations

import argparse
from datetime import timedelta

import pytest

from scc_responder.cli.terminal.place_options import place_options
from scc_responder.cli.terminal.timed_options import LONGEST_CEILING, length_of, length_option, timed_key, timed_options
from scc_responder.domain.errors import SettingsError

CLUSTER = "projects/example-project/locations/europe-west1/clusters/prod-1"


def options(*given: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    place_options(parser, "")
    timed_options(parser)
    length_option(parser, "7d")
    return parser.parse_args(given)


KEYS = {
    "a policy": (("--policy", "isolate-pod"), ("policy", "isolate-pod", "")),
    "a policy in a cluster": (("--policy", "isolate-pod", "--cluster", CLUSTER), ("policy", "isolate-pod", CLUSTER)),
    "a namespace": (("--namespace", "shop"), ("namespace", "shop", "")),
    "one cluster's namespace": (("--namespace", f"{CLUSTER}/shop"), ("namespace", "shop", CLUSTER)),
    "a project's": (("--namespace", "shop", "--project", "p"), ("namespace", "shop", "projects/p")),
    "a workload": (
        ("--workload", f"{CLUSTER}/shop/Deployment/web.v1"),
        ("workload", "shop/Deployment/web.v1", CLUSTER),
    ),
    "its cluster apart": (
        ("--workload", "shop/Deployment/web", "--cluster", CLUSTER),
        ("workload", "shop/Deployment/web", CLUSTER),
    ),
    "nothing": ((), None),
}


@pytest.mark.parametrize(("given", "expected"), KEYS.values(), ids=KEYS)
def test_options_name_what_is_meant(given: tuple[str, ...], expected: object) -> None:
    """The cluster stands before the namespace, or in its own option."""
    assert timed_key(options(*given)) == expected


REFUSED = {
    "no policy's name": ("--policy", "Isolate pod"),
    "a policy with a cluster before it": ("--policy", f"{CLUSTER}/p"),
    "no namespace": ("--namespace", "Shop"),
    "a cluster's short name": ("--namespace", "prod-1/shop"),
    "the cluster alone": ("--namespace", CLUSTER + "/"),
    "two clusters": ("--namespace", f"{CLUSTER}/shop", "--cluster", CLUSTER),
    "a workload without its namespace": ("--workload", "Deployment/web", "--cluster", CLUSTER),
    "a workload without its cluster": ("--workload", "shop/Deployment/web"),
    "no kind": ("--workload", f"{CLUSTER}/shop/apps.v1/web"),
}


@pytest.mark.parametrize("given", REFUSED.values(), ids=REFUSED)
def test_other_names_are_refused(given: tuple[str, ...]) -> None:
    """What nobody can mean must not look as if it held something."""
    with pytest.raises(SettingsError):
        timed_key(options(*given))


@pytest.mark.parametrize("length", ["", "2", "0h", "8d", "2h30m"])
def test_a_length_is_some_time(length: str) -> None:
    """Nothing, and more than the longest, are refused."""
    with pytest.raises(SettingsError, match="--for"):
        length_of(options("--for", length), LONGEST_CEILING)
    assert length_of(options("--for", "2h"), LONGEST_CEILING) == timedelta(hours=2)


@pytest.mark.parametrize(("kind", "meant"), [("deploy", "Deployment"), ("Pods", "Pod"), ("sts", "StatefulSet")])
def test_a_kind_is_named_in_full(kind: str, meant: str) -> None:
    """What `kubectl` takes for it is no owner's kind: a ceiling on it would say that it stands, and hold nothing."""
    with pytest.raises(SettingsError, match=f"in full, {meant}"):
        timed_key(options("--workload", f"{CLUSTER}/shop/{kind}/web"))
    rollout = f"{CLUSTER}/shop/Rollout/web"
    assert timed_key(options("--workload", rollout)) == ("workload", "shop/Rollout/web", CLUSTER)
