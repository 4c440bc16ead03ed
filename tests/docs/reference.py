"""`python -m tests.docs.reference [--write]`: the tables of policies/README.md, made of the code and the policies.

What stands above the first of them is written by hand.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec
from msgspec.structs import fields

from scc_responder.actions import Action, actions
from scc_responder.cli.terminal.markdown import markdown_table
from scc_responder.domain.changes import Disruption
from scc_responder.domain.context import Context
from scc_responder.domain.permissions import Permissions
from scc_responder.intake.threats import CONFIDENCES, DETECTORS, SURFACES, THREAT_KINDS
from scc_responder.policy.cel import NOT_TOLD, NOT_TOLD_OF, RENAMED
from scc_responder.policy.match import Match, Severity, as_tuple
from scc_responder.policy.policy_set import Policy
from scc_responder.workbench.needed_permissions import permissions_of
from scc_responder.workbench.policies.meaning.closed_words import CLOSED_WORDS, mitre_numbers
from scc_responder.workbench.policy_files.cel_mistakes import FUNCTIONS
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.rule_mistakes import MAX_WORDS_LISTED
from scc_responder.workbench.policy_files.shipped_pack import PACK

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "policies" / "README.md"
COMMAND = "python -m tests.docs.reference --write"
BEGINS = f"<!-- From here on generated: {COMMAND} -->\n"


CONDITIONS: Mapping[str, tuple[str, str]] = {
    "threat": ("the threat's name: `scc-responder threats`, or [THREATS.md](THREATS.md)", "[reverse_shell, unknown]"),
    "category": ("Security Command Center's category, in any case", '"Execution: *"'),
    "detector": (f"who found it: {', '.join(f'`{name}`' for name in DETECTORS)}", "container_threat_detection"),
    "severity": (f"at least this severe: {', '.join(f'`{name}`' for name in Severity)}", "HIGH"),
    "kind": ("`ioc`: threat intelligence knows it; `behavioral`: it looks like an attack", "ioc"),
    "confidence": (
        f"{', '.join(f'`{name}`' for name in CONFIDENCES)}; [related findings](#related-findings) raise it",
        "[likely, confirmed]",
    ),
    "surface": (f"what it is about: {', '.join(f'`{name}`' for name in SURFACES)}", "pod"),
    "cluster": (
        "`projects/P/locations/L/clusters/C`, segment by segment",
        "projects/example-project/locations/*/clusters/prod-*",
    ),
    "project": ("the project of the cluster, or of the Cloud Run service", "example-*"),
    "location": ("the location of the cluster, or of the Cloud Run service; a zone is in its region", "europe-*"),
    "service": (
        "a service or job of Cloud Run, by its name or as `projects/P/locations/L/services/N` or `.../jobs/N`",
        "[checkout, projects/example-project/locations/*/jobs/*]",
    ),
    "namespace": ("the pod's namespace", "[shop, web-*]"),
    "workload": ("what owns the pod, as `Kind/name`", "Deployment/checkout"),
    "labels": ("the pod's labels, by key; all of them must fit", "{tier: [web, api]}"),
    "image": ("the image of a container that the finding names", "europe-docker.pkg.dev/example-project/*/*"),
    "node_pool": ("the node pool of the pod's node", "pool-1"),
    "principal": ("who did it, as the audit log names them", '"*@example.com"'),
}
"""Each condition: what it compares, and an example."""

assert CONDITIONS.keys() == set(Match.__struct_fields__)
assert set(THREAT_KINDS) == {"ioc", "behavioral"}

ASKED_FACTS = (
    (
        "`live.workload`",
        "how many pods the pod's workload wants, and has that are ready",
        "`live.workload.ready >= 3`",
    ),
    (
        "`live.budgets`",
        "the PodDisruptionBudgets that select the pod",
        "`live.budgets.all(b, b.disruptions_allowed > 0)`",
    ),
    (
        "`workload_object`",
        "the topmost owner of the pod, such as its Deployment",
        '`workload_object.labels["team"] == "payments"`',
    ),
    (
        "`google_identity`",
        "who the pod's service account is in Google Cloud, as annotated, or else the cluster's own name for it",
        '`google_identity == "ledger@example-project.iam.gserviceaccount.com"`',
    ),
)
"""Facts that cost a request: what each is, and an example."""

MODES = """`modes` says how far a policy goes in some places, instead of `mode`: of several that fit, the furthest.

```yaml
mode: dry_run
modes:
  - mode: approve
    clusters: [projects/*/locations/*/clusters/dev-*]
    share: 5%                           # in so many of them, by the hash of their names: the same for all policies
  - mode: enforce
    clusters: [projects/*/locations/*/clusters/dev-*]
    namespace_labels: {stage: canary}   # of the pod's namespace
when: {threat: reverse_shell}
then: [{action: label_pod}]
```

A mode with `namespace_labels` raises what holds without it, and never lowers it; a namespace that cannot be read
raises nothing (`mode_not_raised`). Guardrails and the kill switch win. Whoever may change a namespace writes its
labels: let an admission policy bind these keys, and say whose it is under `accepted`, as `label_of_the_namespace`;
`policy lint` warns until then.
"""
"""What modes by cluster and by label of the namespace do."""

RELATED = """Another finding is related, and raises `confidence`, only if all of this holds:

- the deployment lists its source; it is of class THREAT, active and not muted;
- it happened within an hour, before or after;
- it is another threat of [the catalogue](THREATS.md): one start of a program makes several findings of one threat,
  which together prove no more than one of them;
- it is about the same target: the same pod, or, if the finding names no pod, the same Cloud Run service or job, node or
  principal, in that order. A finding that names several pods is about each of them.

With a related finding, `possible` becomes `likely`; with a `confirmed` one, it becomes `confirmed`. `serve`,
`simulate` and the deployed function follow the same rule. If related findings cannot be read, a policy that asks for
more than the finding's own confidence is held.
"""
"""What `intake/related_findings.py` does, for people who write policies."""

TIERS = {
    "report": "keep the evidence and notify a person: the finding names no pod, a protected one, or is not known",
    "mark": "also keep the pod's logs, label and annotate it: it may be bad practice",
    "isolate": "also isolate the pod, end its connections, stop the processes and look: it is likely an attack",
    "contain": "also delete the pod, after the look: threat intelligence confirms the threat",
    "respond-to": "named after one of Google's runbooks, and goes as far as the runbook",
}
"""What the verb that a shipped policy's name begins with means."""

RUN_PACK = """On Cloud Run, where `SCC_RESPONDER_SERVICES` lists the service or job. All steps of a case are one plan:
a person approves or rejects it as a whole, and `explain` says what people will feel. The ceiling `cloud-run` of
[guardrails.yaml](guardrails.yaml) keeps it so, until somebody takes an action off it.
"""
"""What is said before the policies that change Cloud Run."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or say that it differs: then the status is 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.docs.reference", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page; without it it is only checked")
    page = PAGE.read_text()
    wanted = page.partition(BEGINS)[0] + reference()
    if parser.parse_args(arguments).write:
        PAGE.write_text(wanted)
        return 0
    told = "nothing has drifted" if page == wanted else f"differs: {PAGE}\nrun: {COMMAND}"
    print(told, file=sys.stderr)
    return int(page != wanted)


def reference() -> str:
    """Everything that is generated, with the line that it begins with."""
    parts = [BEGINS, "\n## Conditions\n\n", _conditions(), "\n## Facts\n\n", _facts()]
    parts += ["\n## Modes\n\n", MODES, "\n## Related findings\n\n", RELATED, "\n## Actions\n\n", _actions()]
    parts += ["\n".join(_in_full(action)) for action in actions().values()]
    return "".join([*parts, "\n## The policies in this folder\n\n", *_pack(load_policies(PACK).policies)])


def _conditions() -> str:
    """The words that `when`, `unless` and exemptions share."""
    told = (
        "For `when` and `unless`. A list means any of these. `*` and `?` are wildcards within a segment of a path:\n"
        "`*` never crosses a `/`. `**` alone between slashes stands for one segment or more.\n\n"
    )
    rows = ((f"`{name}`", about, f"`{name}: {example}`") for name, (about, example) in CONDITIONS.items())
    return told + markdown_table(("condition", "compares", "for example"), rows)


def _facts() -> str:
    """What a `condition` can ask for, as the types have it."""
    told = (
        "For `condition`, by these names. A fact that is not known is missing: a policy that asks for it is held.\n"
        "`now` is the moment of the decision. The case keeps it: `explain --at` decides by it again.\n"
        "\nThese are read only where a policy names them that would act but for its condition, by one request each:\n\n"
        f"{markdown_table(('fact', 'what it is', 'for example'), ASKED_FACTS)}\n"
        "A case says them under `given`: `{live: {workload: {ready: 1}}}`, `{workload_object: {labels: {team: a}}}`.\n"
        "What could not be read makes neither the condition nor its opposite hold; `explain` says why it lacks.\n\n"
        f"{_values()}"
        "`threat.tactic` is MITRE's number, `finding.mitre_tactic` Google's name of it: "
        f"{', '.join(f'`{number}` is `{name}`' for name, number in sorted(mitre_numbers().items()))}.\n\n"
    )
    rows = ((f"`{path}`", ", ".join(f"`{name}`" for name in _told(kind))) for path, kind in _records())
    called = ((f"`{name}`", f"`{code.replace('|', chr(92) + '|')}`") for name, code in FUNCTIONS.items())
    functions = "\nThese functions, and no others. An address or a network that is none is not known.\n\n"
    return told + markdown_table(("fact", "fields"), rows) + functions + markdown_table(("function", "example"), called)


def _values() -> str:
    """The values of facts that have a few only."""
    paths: dict[tuple[str, str], str] = {}
    for path, kind in _records():
        for name in _told(kind):
            told, known = f"{path}.{name}", paths.get((kind.__name__, name))
            paths[kind.__name__, name] = told if known is None else min(told, known, key=len)
    few = {key: words() for key, words in CLOSED_WORDS.items() if len(words()) <= MAX_WORDS_LISTED}
    rows = [(f"`{paths[key]}`", ", ".join(f"`{word}`" for word in words)) for key, words in few.items()]
    return f"These facts have a few values only:\n\n{markdown_table(('fact', 'values'), iter(rows))}\n"


def _told(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The fields of a record that a condition may name, and their types."""
    return {field.name: field.type for field in fields(kind) if field.name not in NOT_TOLD_OF.get(kind, ())}


def _records() -> Iterator[tuple[str, type[msgspec.Struct]]]:
    """Every record within the context, by where it is; `[]` is a list of them."""
    waiting = [(RENAMED.get(fact.name, fact.name), fact.type) for fact in fields(Context) if fact.name not in NOT_TOLD]
    while waiting:
        path, kind = waiting.pop(0)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            yield path, kind
            waiting = [(f"{path}.{name}", type_of) for name, type_of in _told(kind).items()] + waiting
        listed_there = "[]" if get_origin(kind) is tuple else ""
        waiting = [(path + listed_there, inner) for inner in get_args(kind)] + waiting


def _actions() -> str:
    rows = ((f"[`{name}`](#{name})", _summary(action), *_bounds(action)) for name, action in actions().items())
    return markdown_table(("action", "what it does", "can be undone", "the pod must be the finding's"), rows)


def described(permissions: Permissions) -> tuple[str, ...]:
    """The permissions for a reader, the verbs of one resource together: `pods: get, patch`."""
    verbs: dict[str, list[str]] = {}
    for permission in permissions:
        verbs.setdefault(permission.name, []).extend([permission.verb] if permission.verb else [])
    return tuple(f"{name}: {', '.join(given)}" if given else name for name, given in verbs.items())


def _summary(action: Action) -> str:
    return " ".join(_paragraphs(action)[0].split())


def _bounds(action: Action) -> tuple[str, str]:
    if action.observes:
        return "changes nothing", "no: never held"
    return "yes" if action.reversible else "no", "at least likely" if action.needs_identity else "unless it is refuted"


def _paragraphs(action: Action) -> list[str]:
    """The documentation without its example, which is below the last `then:`."""
    return inspect.cleandoc(action.plan.__doc__ or "").partition("\n    then:")[0].partition("\nthen:")[0].split("\n\n")


def example(action: Action) -> str:
    """The steps in an action's documentation."""
    lines = inspect.cleandoc(action.plan.__doc__ or "").splitlines()
    start = next(index for index, line in enumerate(lines) if line.strip() == "then:")
    indent = len(lines[start]) - len(lines[start].lstrip())
    return "\n".join(line[indent:] for line in lines[start:])


def _in_full(action: Action) -> Iterator[str]:
    """One action: all that its documentation says, its parameters, its permissions, and its example."""
    yield f"\n### {action.name}\n"
    yield from (f"{paragraph.strip()}\n" for paragraph in _paragraphs(action) if paragraph.strip())
    parameters = list(_parameters(action))
    if parameters:
        yield f"{inspect.cleandoc(action.params.__doc__ or '')}\n"
        yield markdown_table(("parameter", "takes", "default"), iter(parameters))
    yield f"Permissions: {', '.join(f'`{permission}`' for permission in described(permissions_of(action.name)))}\n"
    yield f"```yaml\n{example(action)}\n```\n"


def _parameters(action: Action) -> Iterator[tuple[str, str, str]]:
    """Name, what it takes, and its default, of each parameter."""
    (_,), components = msgspec.json.schema_components([action.params])
    for name, field in components[action.params.__name__]["properties"].items():
        default = msgspec.json.encode(field["default"]).decode() if "default" in field else "none: it must be given"
        yield f"`{name}`", _takes(field), f"`{default}`"


def _takes(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{value}`" for value in field["enum"])
    if field["type"] == "object":
        return f"{_takes(field['additionalProperties'])}s by key"
    words = {"integer": "number", "boolean": "`true` or `false`", "string": "text"}
    bounds = f", {field['minimum']} to {field['maximum']}" if {"minimum", "maximum"} <= field.keys() else ""
    return words[field["type"]] + bounds


def _pack(policies: Sequence[Policy]) -> Iterator[str]:
    """The shipped policies by how far they go."""
    yield "Each answers the threats that it names, in `dry_run`, and where it changes Cloud Run in `approve`.\n"
    yield "[THREATS.md](THREATS.md) lists them by threat.\n"
    yield "Their steps have the order of [evidence](../docs/evidence.md#the-order-that-loses-nothing). Where settings\n"
    yield "name no image of the collector, no connection is ended, no process stopped, no container looked into:\n"
    yield "these steps end as `no_collector_image`, and all others are carried out.\n"
    for verb, meaning in TIERS.items():
        own = [policy for policy in policies if policy.name.startswith(f"{verb}-") and not _changes_run(policy)]
        yield f"\n`{verb}-...`: {meaning}.\n\n"
        yield markdown_table(("policy", "when"), ((_link(policy), _when(policy)) for policy in own))
    yield f"\n{RUN_PACK}\n"
    of_run = ((_link(policy), _when(policy), _changes(policy)) for policy in policies if _changes_run(policy))
    yield markdown_table(("policy", "when", "what it asks a person for"), of_run)


def _changes_run(policy: Policy) -> bool:
    return any(actions()[step.action].disrupts is Disruption.SERVICES for step in policy.then)


def _changes(policy: Policy) -> str:
    return ", ".join(f"`{step.action}`" for step in policy.then if not actions()[step.action].observes)


def _link(policy: Policy) -> str:
    return f"[{policy.name}]({policy.name}.yaml)"


def _when(policy: Policy) -> str:
    """The first sentence of its description, and how many threats it names."""
    first = policy.description.partition(". ")[0].rstrip(".")
    names = len(as_tuple(policy.when.threat)) if policy.when.threat else 0
    return f"{first} ({names} threat{'s' if names != 1 else ''})"


if __name__ == "__main__":
    sys.exit(main())
