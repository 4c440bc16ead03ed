"""Command lines of other programs, as documents show them: which commands and options there are.

Sources: `gcloud` 528 (its own table for completion), `kubectl` 1.32 and `terraform` 1.11 (`--help`), `git` 2.
"""

from __future__ import annotations

import argparse
import re
import shlex
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import groupby
from typing import NoReturn

from scc_responder.workbench.doctor.check import OR, THEN

GCLOUD = {"--project", "--format", "--impersonate-service-account", "--quiet"}
KUBECTL = {"--namespace", "--context"}

KNOWN: Mapping[str, set[str]] = {
    "gcloud container clusters list": GCLOUD,
    "gcloud auth application-default login": GCLOUD,
    "gcloud auth print-identity-token": {*GCLOUD, "--audiences", "--include-email"},
    "gcloud kms keys versions create": {*GCLOUD, "--key", "--keyring", "--location"},
    "gcloud kms keys versions get-public-key": {*GCLOUD, "--key", "--keyring", "--location", "--output-file"},
    "gcloud iam service-accounts disable": GCLOUD,
    "gcloud logging sinks update": {*GCLOUD, "--add-exclusion"},
    "gcloud logging read": {*GCLOUD, "--freshness", "--limit", "--order"},
    "gcloud pubsub subscriptions describe": GCLOUD,
    "gcloud pubsub subscriptions modify-push-config": {
        *GCLOUD,
        "--push-endpoint",
        "--push-auth-service-account",
        "--push-auth-token-audience",
    },
    "gcloud beta services identity create": {*GCLOUD, "--service"},
    "gcloud run services add-iam-policy-binding": {*GCLOUD, "--region", "--member", "--role"},
    "gcloud run services describe": {*GCLOUD, "--region"},
    "gcloud run services update": {
        *GCLOUD,
        "--region",
        "--default-url",
        "--ingress",
        "--max",
        "--min",
        "--no-invoker-iam-check",
        "--scaling",
    },
    "gcloud run services update-traffic": {*GCLOUD, "--region", "--to-latest", "--to-revisions", "--update-tags"},
    "gcloud scc findings list": {*GCLOUD, "--filter", "--location", "--source"},
    "gcloud scc notifications describe": {*GCLOUD, "--folder", "--location", "--organization"},
    "gcloud scheduler jobs run": {*GCLOUD, "--location"},
    "gcloud services enable": GCLOUD,
    "gcloud storage service-agent": GCLOUD,
    "gcloud storage cp": {*GCLOUD, "--recursive"},
    "gcloud storage ls": {*GCLOUD, "--recursive", "--long"},
    "git checkout": set(),
    "git worktree add": set(),
    "kubectl annotate": {*KUBECTL, "--overwrite", "--selector", "--all"},
    "kubectl apply": {*KUBECTL, "-k", "-f", "--dry-run"},
    "kubectl delete": {*KUBECTL, "--selector"},
    "kubectl get": {*KUBECTL, "--all-namespaces", "--selector", "--output", "--show-labels"},
    "kubectl kustomize": set(),
    "kubectl label": {*KUBECTL, "--overwrite", "--selector"},
    "kubectl uncordon": KUBECTL,
    "terraform apply": {"-chdir", "-var", "-var-file"},
    "terraform init": {"-chdir"},
    "terraform output": {"-chdir", "-raw", "-json"},
    "terraform plan": {"-chdir", "-var", "-var-file"},
}
"""Each command that documents may show, with the options that they may show of it."""

FIXING: Mapping[str, set[str]] = {
    "gcloud artifacts repositories add-iam-policy-binding": {*GCLOUD, "--location", "--member", "--role"},
    "gcloud container clusters describe": {*GCLOUD, "--location"},
    "gcloud container clusters update": {
        *GCLOUD,
        "--location",
        "--enable-dns-access",
        "--enable-network-policy",
        "--update-addons",
    },
    "gcloud firestore databases describe": {*GCLOUD, "--database"},
    "gcloud iam service-accounts add-iam-policy-binding": {*GCLOUD, "--member", "--role"},
    "gcloud kms keys add-iam-policy-binding": {*GCLOUD, "--keyring", "--location", "--member", "--role"},
    "gcloud kms keys create": {*GCLOUD, "--default-algorithm", "--keyring", "--location", "--purpose"},
    "gcloud kms keys versions enable": {*GCLOUD, "--key", "--keyring", "--location"},
    "gcloud organizations add-iam-policy-binding": {*GCLOUD, "--member", "--role"},
    "gcloud projects add-iam-policy-binding": {*GCLOUD, "--member", "--role"},
    "gcloud pubsub subscriptions create": {*GCLOUD, "--topic", "--expiration-period"},
    "gcloud pubsub subscriptions update": {
        *GCLOUD,
        "--ack-deadline",
        "--dead-letter-topic",
        "--expiration-period",
        "--max-delivery-attempts",
        "--max-retry-delay",
        "--min-retry-delay",
    },
    "gcloud pubsub topics add-iam-policy-binding": {*GCLOUD, "--member", "--role"},
    "gcloud pubsub topics create": GCLOUD,
    "gcloud resource-manager folders add-iam-policy-binding": {*GCLOUD, "--member", "--role"},
    "gcloud storage buckets add-iam-policy-binding": {*GCLOUD, "--member", "--role"},
    "gcloud storage buckets update": {*GCLOUD, "--retention-period"},
}
"""Commands that `doctor` prints besides, with the options that it may give them."""

LOOKING: Mapping[str, set[str]] = {
    "gcloud container clusters get-credentials": {*GCLOUD, "--location"},
    "kubectl logs": {*KUBECTL, "--container", "--timestamps"},
}
"""Commands that the account of a case prints besides, with the options that it may give them."""

PROJECTLESS = ("auth", "organizations", "projects", "resource-manager", "storage", "scc", "run")
"""Groups of `gcloud` whose commands name what they are about in full, or are about the person."""

PUSH_AUTH = ("--push-auth-service-account", "--push-auth-token-audience")

PROGRAMS = {command.partition(" ")[0] for command in KNOWN}


def mistakes(line: str) -> Iterator[str]:
    """What is wrong with a command line of these programs, or of ours, or with a pipe of them."""
    try:
        words = shlex.split(line.partition(" > ")[0], comments=True)
    except ValueError as error:
        yield str(error)
        return
    for joins, words_of_one in groupby(words, lambda word: word in {"|", "&&"}):
        if not joins:
            yield from _mistakes(list(words_of_one))


def fix_mistakes(fix: str) -> Iterator[str]:
    """What is wrong with the commands of a fix: each part that begins with a program is a whole command line.

    No command stands within a sentence, where nobody could copy it, and each names its project.
    """
    for part in re.split(f"{OR}|{THEN}", fix):
        if part.partition(" ")[0] in {"gcloud", "kubectl", "scc-responder"}:
            yield from mistakes(part)
            yield from _of_gcloud(part)
        elif re.search(r"\b(gcloud|kubectl|scc-responder) [a-z]", part):
            yield f"a command within a sentence: {part}"


def _of_gcloud(line: str) -> Iterator[str]:
    """What its commands lack, or have too much of: an option's value follows `=`, and one thing is named besides."""
    for command in re.split(r" (?:&&|\|) ", line):
        words = shlex.split(command)
        if words[0] != "gcloud":
            continue
        if words[1] not in PROJECTLESS and not any(word.startswith("--project=") for word in words):
            yield f"no --project: {command}"
        told = " ".join(word for word in words if not word.startswith("-"))
        known = next((known for known in {**KNOWN, **FIXING, **LOOKING} if f"{told} ".startswith(f"{known} ")), told)
        if surplus := told.removeprefix(known).split()[1:]:
            yield f"{known} takes no {' '.join(surplus)!r}"


def _mistakes(words: list[str]) -> Iterator[str]:
    if words[0] == "scc-responder":
        yield from _own_mistakes(words[1:])
        return
    # Keys to be taken away end with a dash, and values may begin with one: neither is an option.
    options = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    told = " ".join(word for word in words if not word.startswith("-"))
    every = {**KNOWN, **FIXING, **LOOKING}
    command = next((known for known in every if f"{told} ".startswith(f"{known} ")), None)
    if command is None:
        yield f"no command that is known: {told}"
        return
    yield from (f"{command} has no {option}" for option in options if option not in every[command])
    # What is left out is taken away: with an endpoint and without these, every delivery would be refused.
    if any(word.startswith("--push-endpoint=") and word != "--push-endpoint=" for word in words):
        yield from (f"{command} lacks {option}" for option in PUSH_AUTH if option not in options)


class _Parser(argparse.ArgumentParser):
    """A parser that raises its message."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def _own_mistakes(words: list[str]) -> Iterator[str]:
    parser = _Parser(allow_abbrev=False)
    import_module(f"scc_responder.cli.{words[0]}").add_options(parser)
    try:
        parser.parse_args(words[1:])
    except ValueError as error:
        yield f"scc-responder {words[0]}: {error}"
