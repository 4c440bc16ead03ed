"""`python -m tests.findings.generate [--write|--check]`: the goldens, and the table of what is done about each threat.

For each row of the catalogue, and each trap of the wire: a notification, what is known of its target, and the decision
that the shipped policies come to. Run it with --write after a change to the catalogue, to `samples.yaml`, to a policy,
or to how decisions are made, and review the difference.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from scc_responder.cli.terminal.markdown import markdown_table
from scc_responder.intake.threats import DETECTORS, Row, catalogue, title
from tests.findings import FOLDER, RUNBOOKS, data, names
from tests.findings.contexts import context_for
from tests.findings.expected import expected, shipped_policies
from tests.findings.layout import laid_out
from tests.findings.synthetic import synthetic
from tests.findings.traps import Trap, traps

TABLE = Path(__file__).parents[2] / "policies" / "THREATS.md"
COMMAND = "python -m tests.findings.generate --write"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is generated, or say what differs from it: then the status is 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.findings.generate", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files; without it they are only checked")
    parser.add_argument("--check", action="store_true", help="check the files (the default)")
    wanted = generated()
    if parser.parse_args(arguments).write:
        write(wanted)
        return 0
    faults = drift(wanted)
    print("\n".join([*faults, f"run: {COMMAND}"] if faults else ["nothing has drifted"]), file=sys.stderr)
    return 1 if faults else 0


def write(wanted: Mapping[Path, str]) -> None:
    """Write the files that are wanted, and remove those that no longer are."""
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    for path in set(_present()) - set(wanted):
        path.unlink()


def drift(wanted: Mapping[Path, str]) -> list[str]:
    """What differs between the files that are there and those that are wanted."""
    missing = [f"missing: {path}" for path in wanted if not path.exists()]
    changed = [f"differs: {path}" for path, text in wanted.items() if path.exists() and path.read_text() != text]
    return sorted([*missing, *changed, *(f"not generated: {path}" for path in set(_present()) - set(wanted))])


def generated(rows: Sequence[Row] = catalogue()) -> dict[Path, str]:
    """Every generated file and its text."""
    policies = shipped_policies()
    files: dict[Path, str] = {}
    answers: dict[str, dict[str, Any]] = {}
    for row in rows:
        document = laid_out(synthetic(row))
        context = context_for(document.encode())
        answers[row.name] = expected(document.encode(), context, policies)
        files |= _golden(FOLDER / "catalogue" / row.detector / row.name, document, context, answers[row.name])
    found = traps()
    for name, trap in found.items():
        context = context_for(data(trap.target), **trap.context)
        answer = expected(trap.text.encode(), context, policies)
        files |= _golden(FOLDER / "traps" / name, trap.text, None if answer["rejected"] else context, answer)
    files |= _beside(policies)
    return {**files, FOLDER / "traps" / "README.md": _traps_table(found), TABLE: _table(rows, answers)}


def _golden(path: Path, document: str, context: Mapping[str, Any] | None, answer: Mapping[str, Any]) -> dict[Path, str]:
    files = {path.with_suffix(".json"): document, path.with_suffix(".decision.json"): laid_out(answer)}
    if context is not None:
        files[path.with_suffix(".context.json")] = laid_out(context)
    return files


def _beside(policies: Any) -> dict[Path, str]:
    """The contexts and decisions of the goldens that are written by hand, but for the runbooks', which are so too."""
    files = {}
    for name in set(names()) - set(RUNBOOKS):
        content = (FOLDER / f"{name}.json").read_bytes()
        context = context_for(content)
        golden = _golden(FOLDER / name, "", context, expected(content, context, policies))
        files |= {path: text for path, text in golden.items() if text}
    return files


def _present() -> Iterator[Path]:
    for folder in ("catalogue", "traps"):
        yield from (path for path in (FOLDER / folder).rglob("*") if path.is_file())
    yield from (path for path in FOLDER.glob("*.*.json") if path.name.partition(".")[0] not in RUNBOOKS)


def _traps_table(found: Mapping[str, Trap]) -> str:
    rows = ((f"`{name}.json`", trap.about) for name, trap in found.items())
    head = f"# Traps of the wire\n\nHow real payloads differ, each as one golden. Generated: `{COMMAND}`.\n\n"
    return head + markdown_table(("file", "what it is for"), rows)


def _table(rows: Iterable[Row], answers: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of threats for people: what the shipped policies do about a plain finding of each."""
    parts = [
        "# Threats, and what is done about each\n",
        f"""
What the policies in this folder ask for when one finding of the threat arrives and its target exists. All of them start
in `dry_run`, those that change Cloud Run in `approve`. With related findings, they may ask for more: see
[isolate-raised-suspicion](isolate-raised-suspicion.yaml), [contain-confirmed-miner](contain-confirmed-miner.yaml) and
[isolate-cloud-run-attack](isolate-cloud-run-attack.yaml).
`scc-responder threats` describes each threat, [README.md](README.md) the policies. This file is generated: `{COMMAND}`.
""",
    ]
    for detector in DETECTORS:
        own = [row for row in rows if row.detector == detector]
        parts.append(f"\n## {title(detector)} ({len(own)})\n\n")
        lines = (_line(row, answers[row.name]["does"]) for row in own)
        columns = ("Category", "Surface", "Threat", "Confidence", "Severity", "Default response")
        parts.append(markdown_table(columns, lines))
    return "".join(parts)


def _line(row: Row, does: Mapping[str, Mapping[str, str]]) -> Sequence[str]:
    responses = [f"[{policy}]({policy}.yaml): {', '.join(actions)}" for policy, actions in does.items()]
    severity = row.severity or "-"
    return (row.category, row.surface, f"`{row.name}`", row.confidence, severity, "; ".join(responses) or "recorded")


if __name__ == "__main__":
    sys.exit(main())
