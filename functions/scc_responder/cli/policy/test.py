"""Run the cases beside the policies (`x.test.yaml`), and say what they do not show.

A case is a finding and what is expected of the policy. It fails both ways: for what was expected and did not come, and
for what came and nobody expected. Every policy needs a case in which it acts, one in which it does not, and for each of
its steps a case that plans it.

    policy: isolate-reverse-shell
    cases:
      - name: A reverse shell is cut off
        finding: reverse_shell           # a file of --findings without .json, or the name of a threat
        expect: {then: [isolate_pod, notify]}
      - name: A finding of low severity is left alone
        finding: reverse_shell
        with: {severity: LOW}            # changes what was found
        given: {pod: {labels: {app: x}}} # changes what was read of its target; null removes
        age: 5m                          # how late it arrives, or at: 2026-03-02T09:45:00Z
        expect: {reason: when_severity_differs}

A case may load several policies `together` and expect the `order` of their steps. `guardrails.test.yaml` beside the
guardrails has cases of its own: what holds an action, lowers a mode, or denies the third.

    cases:
      - name: A pod of the system is never isolated
        finding: reverse_shell
        given: {pod: {namespace: kube-system}}
        do: [isolate_pod]                # what some policy would do, in mode enforce
        expect: {then: ["isolate_pod: namespace_protected"]}

Exit 1 if a case fails or cannot be run, or a policy lacks one; 2 if the policies cannot be used. A case that is wrong
costs no other: it is told with file and line.
"""

from __future__ import annotations

import argparse
import difflib
import json
from collections.abc import Callable, Container, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from scc_responder.cli.policy.reports.policy_test_report import results_summary, results_text
from scc_responder.cli.terminal.policy_folder import AskedPolicies, asked_policies, require_policies
from scc_responder.cli.terminal.printed_report import print_report
from scc_responder.domain.errors import SettingsError
from scc_responder.policy.policy_set import Policy, PolicySet, policy_paths
from scc_responder.workbench.policies.cases.case_situation import USUAL_FINDINGS
from scc_responder.workbench.policies.guardrails_tests import check_guardrails
from scc_responder.workbench.policies.policy_tests import GUARDRAILS_RESULT, PolicyResult, PolicyTests, orphans
from scc_responder.workbench.policy_files.policy_file import load_policies
from scc_responder.workbench.policy_files.policy_layout import HOLDS_FOR_ALL, told_name


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `policy test`."""
    parser.add_argument("policy", nargs="*", metavar="POLICY", help="only these: names, files or folders; else all")
    parser.add_argument("--policies", type=Path, default=Path("policies"), metavar="DIR", help="folder of policies")
    parser.add_argument(
        "--findings", type=Path, default=USUAL_FINDINGS, metavar="DIR", help="the findings that cases name"
    )
    parser.add_argument("--format", choices=("text", "json", "junit"), default="text", help="what to print")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to this file instead")


def run(options: argparse.Namespace) -> int:
    """Print the results of the cases; 1 if something is wrong."""
    paths = [name for name in options.policy if Path(name).exists()]
    asked = asked_policies(paths, options.policies)
    policies = load_policies(asked.folder)
    names = [*(name for name in options.policy if name not in paths), *_named(asked)]
    if any(Path(one).name in HOLDS_FOR_ALL for one in asked.chosen):
        names = []  # what changes for all policies is shown by the cases of all
    chosen = list(_chosen(policies, names, {path.stem for path in policy_paths(asked.folder)}))
    tests = PolicyTests(policies, asked.folder, options.findings)
    results = [tests.check(policy) for policy in chosen]
    of_guardrails = check_guardrails(policies, asked.folder, options.findings) if not names else None
    results += [of_guardrails] if of_guardrails else []
    stray = () if names else orphans(policies, asked.folder)
    require_policies(len(policies.policies) + len(stray), asked.folder)
    formats: dict[str, Callable[[], str]] = {
        "text": lambda: "\n".join(results_text(results, stray)),
        "json": lambda: json.dumps(_data(results, stray), indent=2),
        "junit": lambda: _junit(results, stray),
    }
    print_report(formats[options.format](), options.output, results_summary(results))
    return 0 if not stray and all(result.passed for result in results) else 1


def _junit(results: Sequence[PolicyResult], stray: Sequence[str]) -> str:
    from scc_responder.cli.policy.reports.junit_report import junit  # noqa: PLC0415 - its XML brings an HTTP client

    return junit(results, stray)


def _named(asked: AskedPolicies) -> Iterator[str]:
    """The names of the policies in the files and folders that were asked for."""
    for one in asked.chosen:
        below = [
            path.name for path in policy_paths(asked.folder) if told_name(path, asked.folder).startswith(f"{one}/")
        ]
        yield from below or [one]


def _chosen(policies: PolicySet, names: Sequence[str], own: Container[str]) -> Iterator[Policy]:
    """The policies that are asked for, in their own order; the folder's own, if none is. Raises SettingsError.

    Those that are shipped are tested with the product, under the guardrails that they are shipped with.
    """
    known = [policy.name for policy in policies.policies if policy.name in own]
    wanted = {Path(name).name.removesuffix(".yaml").removesuffix(".test") for name in names}
    for name in sorted(wanted - set(known)):
        close = difflib.get_close_matches(name, known, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(known) or 'none'}"
        raise SettingsError("unknown_policy", f"there is no policy {name!r}{meant}")
    return (policy for policy in policies.policies if policy.name in (wanted or own))


def _data(results: Sequence[PolicyResult], stray: Sequence[str]) -> dict[str, Any]:
    return {
        "passed": not stray and all(result.passed for result in results),
        "policies": sum(result.policy != GUARDRAILS_RESULT for result in results),
        "cases": sum(len(result.cases) for result in results),
        "untested_steps": sum(len(result.untested) for result in results),
        "without_policy": list(stray),
        "results": [
            {**msgspec.to_builtins(result), "passed": result.passed, "cases": [_case(case) for case in result.cases]}
            for result in results
        ],
    }


def _case(case: Any) -> dict[str, Any]:
    lines = [{**msgspec.to_builtins(line), "differs": line.differs} for line in case.lines]
    return {**msgspec.to_builtins(case), "passed": case.passed, "lines": lines}
