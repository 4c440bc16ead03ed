"""Command lines of other programs, as documents show them: which commands and options there are.

Sources: `gcloud` 528 (its own table for completion), `kubectl` 1.32 and `terraform` 1.11 (`--help`), `git` 2.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import groupby
from typing import NoReturn

GCLOUD = {"--project", "--format", "--impersonate-service-account", "--quiet"}
KUBECTL = {"--namespace", "--context"}

KNOWN: Mapping[str, set[str]] = {
    "gcloud container clusters list": GCLOUD,
    "gcloud auth application-default login": GCLOUD,
    "gcloud auth print-identity-token": {*GCLOUD, "--audiences", "--include-email"},
    "gcloud logging read": {*GCLOUD, "--freshness", "--limit", "--order"},
    "gcloud pubsub subscriptions describe": GCLOUD,
    "gcloud pubsub subscriptions modify-push-config": {
        *GCLOUD,
        "--push-endpoint",
        "--push-auth-service-account",
        "--push-auth-token-audience",
    },
    "gcloud beta services identity create": {*GCLOUD, "--service"},
    "gcloud run services describe": {*GCLOUD, "--region"},
    "gcloud scc findings list": {*GCLOUD, "--filter", "--location", "--source"},
    "gcloud scheduler jobs run": {*GCLOUD, "--location"},
    "gcloud services enable": GCLOUD,
    "gcloud storage service-agent": GCLOUD,
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

PUSH_AUTH = ("--push-auth-service-account", "--push-auth-token-audience")

PROGRAMS = {command.partition(" ")[0] for command in KNOWN}


def mistakes(line: str) -> Iterator[str]:
    """What is wrong with a command line of these programs, or of ours, or with a pipe of them."""
    try:
        words = shlex.split(line.partition(" > ")[0], comments=True)
    except ValueError as error:
        yield str(error)
        return
    for piped, words_of_one in groupby(words, lambda word: word == "|"):
        if not piped:
            yield from _mistakes(list(words_of_one))


def _mistakes(words: list[str]) -> Iterator[str]:
    if words[0] == "scc-responder":
        yield from _own_mistakes(words[1:])
        return
    # Keys to be taken away end with a dash, and values may begin with one: neither is an option.
    options = [word.partition("=")[0] for word in words if word.startswith("-") and word != "-"]
    told = " ".join(word for word in words if not word.startswith("-"))
    command = next((known for known in KNOWN if f"{told} ".startswith(f"{known} ")), None)
    if command is None:
        yield f"no command that is known: {told}"
        return
    yield from (f"{command} has no {option}" for option in options if option not in KNOWN[command])
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
