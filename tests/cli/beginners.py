"""Ten mistakes that people make with their first policy, and what `policy lint` says of each.

`python -m tests.cli.beginners --write` writes the transcripts anew; read them as the author of the policy would.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from scc_responder.cli.main import main

TRANSCRIPTS = Path(__file__).with_name("transcripts")

RIGHT = """\
# yaml-language-server: $schema=./.schema/policy.json
name: contain-reverse-shell
description: A shell wired to a remote socket is a live intruder.
owner: secops@example.com
mode: dry_run

when:
  threat: reverse_shell
  severity: HIGH
unless:
  namespace: [sandbox]

then:
  - action: label_pod
    with:
      labels:
        scc-responder/stage: contained
  - action: isolate_pod
    on_failure: continue
  - action: capture_evidence
  - action: delete_pod
    with:
      grace_period_seconds: 10
  - action: notify
"""
CASES = """\
# yaml-language-server: $schema=./.schema/test.json
policy: contain-reverse-shell
cases:
  - name: A reverse shell is contained
    finding: reverse_shell
    expect: {then: [label_pod, isolate_pod, capture_evidence, delete_pod, notify]}
  - name: A compiler is none
    finding: launch_code_compiler_tool_in_container
    expect: {reason: when_threat_differs}
"""
GUARDRAILS = """\
# yaml-language-server: $schema=./.schema/guardrails.json
protected:
  namespaces: [kube-system]
"""

STEPS = RIGHT[RIGHT.index("  - action: label_pod") :]
MISTAKES: dict[str, tuple[tuple[str, str], str]] = {
    "misspelt-field": (("  threat:", "  thread:"), "did you mean 'threat'?"),
    "misspelt-action-and-parameter": (
        (
            "isolate_pod\n",
            "isolate_pods\n    needs: [label_pod]\n  - action: delete_pod\n    with: {grace_period: 5}\n",
        ),
        "did you mean 'grace_period_seconds'?",
    ),
    "mode-on": (("mode: dry_run", "mode: on"), "YAML reads on, off, yes and no as true or false"),
    "not-indented": (("  severity: HIGH", "severity: HIGH"), "did you mean 'when.severity'?"),
    "colon-in-a-text": (("description: A shell", "description: Shells: one"), "in quotes"),
    "steps-without-dashes": ((STEPS, "  action: notify\n"), "begin each item with '- '"),
    "key-without-value": (("  namespace: [sandbox]", "  namespace:"), "write it, or remove the key"),
    "words-that-never-match": (
        ("reverse_shell\n  severity: HIGH", "reverse-shell\n  severity: high\n  surface: pods"),
        "did you mean 'reverse_shell'?",
    ),
    "foreign-label": (("scc-responder/stage:", "stage:"), "rename it, or list it in guardrails.yaml"),
    "misspelt-fact-in-a-condition": (
        ("then:", 'condition: pod.namespce != "shop" && has(pod.labels.app)\n\nthen:'),
        "did you mean 'namespace'?",
    ),
}
"""What is changed in a right policy, and the fix that must be named."""


def broken(name: str) -> str:
    """The policy with one of the mistakes."""
    (right, wrong), _ = MISTAKES[name]
    assert right in RIGHT
    return RIGHT.replace(right, wrong)


def transcript(text: str) -> str:
    """What a person sees who lints a folder with this policy in it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "guardrails.yaml").write_text(GUARDRAILS)
        (folder / "contain-reverse-shell.yaml").write_text(text)
        (folder / "contain-reverse-shell.test.yaml").write_text(CASES)
        out, errors = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
            status = main(["policy", "lint", "--policies", name])
    return f"$ scc-responder policy lint\n{out.getvalue()}{errors.getvalue()}[exit status {status}]\n"


if __name__ == "__main__":
    for mistake in MISTAKES if "--write" in sys.argv else ():
        (TRANSCRIPTS / f"{mistake}.txt").write_text(transcript(broken(mistake)))
