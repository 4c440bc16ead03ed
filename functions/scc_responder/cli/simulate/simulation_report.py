"""What a simulation came to, as text, Markdown and JSON. Names that findings brought are escaped in each."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from scc_responder.cli.simulate.foretold_lines import foretold_lines, foretold_markdown
from scc_responder.cli.terminal.edit_line import edit_line, turned_text
from scc_responder.cli.terminal.markdown import escaped, markdown_table
from scc_responder.cli.terminal.terminal import styled
from scc_responder.domain.mode import Mode
from scc_responder.domain.value import Value
from scc_responder.guard.limits.ledger_document import WHOLE
from scc_responder.workbench.simulation.counts import Count
from scc_responder.workbench.simulation.edits.edit import Edit
from scc_responder.workbench.simulation.edits.policy_edits import PolicyEdit
from scc_responder.workbench.simulation.impact import Difference
from scc_responder.workbench.simulation.replay_report import (
    ComparedWith,
    Comparison,
    PolicyReport,
    Reached,
    ReplayReport,
)

_COLUMNS = (
    "Policy",
    "Mode",
    "Day",
    "Matched",
    "Would act",
    "Held",
    "Skipped",
    "Pods",
    "Nodes",
    "Workloads",
    "Namespaces",
    "Services",
)
_KIND_STYLES = {"added": "red", "raised": "red", "removed": "green", "lowered": "green"}
_COMPARED_WITH = {
    ComparedWith.ITSELF: "compared with itself: --against names the folder of --policies, so that no change can show",
    ComparedWith.EQUAL: "both folders hold the same policies and guardrails",
}
_MODE_STYLES = {Mode.DISABLED: "dim", Mode.DRY_RUN: "blue", Mode.APPROVE: "yellow", Mode.ENFORCE: "red"}


class SimulationReport(Value, frozen=True, kw_only=True):
    """What is to be told, and how much of it. `unseen`: findings by cluster that no snapshot was given of."""

    report: ReplayReport
    comparison: Comparison | None = None
    unseen: dict[str, int] = {}
    days: bool = True
    targets: bool = False


def simulation_text(simulation: SimulationReport) -> str:
    """For a terminal."""
    report = simulation.report
    lines = [*_head(simulation), ""]
    quiet = [policy for policy in report.policies if not policy.total.matched]
    for policy in report.policies:
        if policy.total.matched:
            lines += [*_policy(policy, simulation), ""]
    if quiet:
        lines += [styled(f"Matched nothing: {', '.join(policy.name for policy in quiet)}", "dim"), ""]
    lines += foretold_lines(report)
    if simulation.targets:
        lines += [styled("Who would have been touched", "bold"), *map(_reached, report.reached)]
        lines += [*_omitted(report.reached_count, report.reached), ""]
    if simulation.comparison:
        lines += [*_comparison(simulation.comparison), ""]
    return "\n".join(lines[:-1]) + "\n"


def _head(simulation: SimulationReport) -> Iterator[str]:
    report = simulation.report
    yield f"{_counted(report.findings, 'finding')}{_period(report)}, {report.matched:,} matched by a policy"
    if report.duplicates:
        yield f"  {report.duplicates:,} came twice"
    yield from (f"  {count:,} left alone: {reason}" for reason, count in report.left_alone.items())
    yield from (styled(f"  {count:,} could not be read: {reason}", "yellow") for reason, count in report.bad.items())
    yield from (styled(f"    {bad.where}: {bad.reason}", "dim") for bad in report.bad_named)
    for path, count in simulation.unseen.items():
        yield styled(f"  {count:,} about a cluster without a snapshot: {path}", "yellow")
    yield from _trips(report)
    if not report.complete:
        yield styled("  there are more targets than are told apart: counts of them are too low", "yellow")


def _trips(report: ReplayReport) -> Iterator[str]:
    """The storm breakers that tripped: what follows in their scopes was held."""
    for trip in report.trips:
        place, named = trip.cluster.rpartition("/")[2], (trip.scope.removeprefix(WHOLE), trip.budget)
        held = f" ({', '.join(filter(None, named))})" if any(named) else ""
        told = f"  storm breaker of {place} trips at {trip.at:%Y-%m-%d %H:%M:%S}Z{held}: {trip.detail}"
        yield styled(told, "yellow")
    if report.tripped > len(report.trips):
        yield styled(f"  ... and {report.tripped - len(report.trips):,} more times", "yellow")
    if report.hidden:
        acts = ", ".join(_counted(number, budget) for budget, number in report.hidden.items())
        told = f"  {acts} more would be done if a person reset a tripped breaker after 1h: --reset-after 1h shows them"
        yield styled(told, "yellow")


def _period(report: ReplayReport) -> str:
    return f" from {_day(report.first)} to {_day(report.last)}" if report.first and report.last else ""


def _day(moment: datetime) -> str:
    return moment.date().isoformat()


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _policy(policy: PolicyReport, simulation: SimulationReport) -> Iterator[str]:
    mode = styled(f"({policy.mode})", _MODE_STYLES[policy.mode])
    yield f"{styled(policy.name, 'bold')} {mode}: {_counted(policy.total.matched, 'finding')}"
    yield from _results("act", policy.total.acts, "green")
    yield from _results("held", policy.total.held, "yellow")
    yield from _results("skipped", policy.total.skipped, "dim")
    yield f"  touches  {_touched(policy.total)}"
    if simulation.days and len(policy.days) > 1:
        yield from (f"  {day.day}  {_line(day.count)}" for day in policy.days)


def _results(word: str, counts: Mapping[str, int], style: str) -> Iterator[str]:
    for index, (name, count) in enumerate(counts.items()):
        head = styled(f"{word:<9}", style) if index == 0 else " " * 9
        yield f"  {head}{count:>7,}  {styled(name, style)}"


def _touched(count: Count) -> str:
    told = (_counted(number, kind.removesuffix("s")) for kind, number in count.touched.items() if number)
    return ", ".join(told) or "nothing"


def _line(count: Count) -> str:
    acts, held = sum(count.acts.values()), sum(count.held.values())
    return f"matched {count.matched:,}, {acts:,} actions act, {held:,} held; touches {_touched(count)}"


def _reached(item: Reached) -> str:
    return f"  {styled(item.target.shown, 'bold')}  {item.action}  {styled(f'{item.policy} ({item.mode})', 'dim')}"


def _omitted(count: int, listed: Sequence[object]) -> list[str]:
    return [f"  ... and {count - len(listed):,} more"] if count > len(listed) else []


def _comparison(comparison: Comparison) -> Iterator[str]:
    yield styled("What the policies change", "bold")
    for raised in comparison.raised:
        yield f"  {styled('raised ', 'red')}  {raised.policy}: {raised.before} -> {raised.after}"
    yield from map(_difference, comparison.differences)
    yield from _omitted(sum(comparison.counts.values()), comparison.differences)
    yield from (f"  {edit_line(of, edit)}" for of, edit in _edits(comparison))
    if comparison.compared_with in _COMPARED_WITH:
        yield styled(f"  {_COMPARED_WITH[comparison.compared_with]}", "yellow")
    yield f"  {_conclusion(comparison)}"


def _difference(item: Difference) -> str:
    kind = styled(f"{item.kind:<7}", _KIND_STYLES[item.kind])
    return f"  {kind}  {styled(item.target.shown, 'bold')}  {item.action}  {styled(_why(item), 'dim')}"


def _edits(comparison: Comparison) -> Iterator[tuple[str, Edit]]:
    """Every edit, and what it is of. A raised mode is told by itself."""
    raised = {item.policy for item in comparison.raised}
    of_policies = (edit for edit in comparison.edits if edit.field != "mode" or edit.policy not in raised)
    yield from ((edit.policy, edit) for edit in of_policies)
    yield from (("guardrails", edit) for edit in comparison.guardrails)
    yield from (("folders", edit) for edit in comparison.scopes)


def _why(item: Difference) -> str:
    return _modes(item) + (" behind limits" if item.behind_limits else "")


def _modes(item: Difference) -> str:
    return f"{item.policy} ({' -> '.join(filter(None, (item.before, item.after)))})"


def _conclusion(comparison: Comparison) -> str:
    if not comparison.complete:
        return styled("WIDENS, as far as can be told: there are more targets than are told apart", "red")
    counts = (
        ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in comparison.counts.items())
        or "no target is touched otherwise"
    )
    of_policies = [edit for _, edit in _edits(comparison) if isinstance(edit, PolicyEdit)]
    kinds = (of_policies, "policies"), (comparison.guardrails, "the guardrails"), (comparison.scopes, "the folders")
    for edits, of in kinds:
        if edits:
            loosened = sum(edit.widens for edit in edits)
            counts += f"; {_counted(len(edits), 'edit')} of {of}, {loosened:,} of them widening"
    word = styled("WIDENS", "red") if comparison.widens else styled("does not widen", "green")
    return f"{word}: {counts}"


def simulation_markdown(simulation: SimulationReport) -> str:
    """For a pull request."""
    report = simulation.report
    parts = ["# Simulation\n\n", *(f"- {escaped(line)}\n" for line in _plain(_head(simulation))), "\n"]
    rows = (row for policy in report.policies if policy.total.matched for row in _rows(policy, days=simulation.days))
    parts.append(markdown_table(_COLUMNS, rows))
    parts += foretold_markdown(report)
    if simulation.targets:
        parts.append("\n## Who would have been touched\n\n")
        cells = ((item.target.shown, item.action, item.policy, str(item.mode)) for item in report.reached)
        parts.append(markdown_table(("Target", "Action", "Policy", "Mode"), map(_escaped, cells)))
        parts += _omitted(report.reached_count, report.reached)
    if simulation.comparison:
        parts += _compared(simulation.comparison)
    return "".join(parts)


def _plain(lines: Iterable[str]) -> Iterator[str]:
    # On a terminal the lines are styled; a document is not.
    yield from (line.strip() for line in lines)


def _rows(policy: PolicyReport, *, days: bool) -> Iterator[Sequence[str]]:
    yield _row(policy, "all", policy.total)
    yield from (_row(policy, day.day.isoformat(), day.count) for day in (policy.days if days else ()))


def _row(policy: PolicyReport, day: str, count: Count) -> Sequence[str]:
    results = ("<br>".join(f"{escaped(name)} {number:,}" for name, number in counts.items()) for counts in _of(count))
    touched = (f"{number:,}" for number in count.touched.values())
    return (escaped(policy.name), escaped(policy.mode), day, f"{count.matched:,}", *results, *touched)


def _of(count: Count) -> tuple[Mapping[str, int], ...]:
    return count.acts, count.held, count.skipped


def _escaped(cells: Iterable[str]) -> Sequence[str]:
    return tuple(map(escaped, cells))


def _compared(comparison: Comparison) -> Iterator[str]:
    yield f"\n## What the policies change\n\n**{'Widens reach' if comparison.widens else 'Does not widen reach'}.**\n\n"
    raised = [("raised", item.policy, "mode", f"{item.before} -> {item.after}") for item in comparison.raised]
    changed = [(item.kind, item.target.shown, item.action, _why(item)) for item in comparison.differences]
    if raised or changed:
        yield markdown_table(("Change", "Of", "What", "Policy and mode"), map(_escaped, [*raised, *changed]))
    yield from _omitted(sum(comparison.counts.values()), comparison.differences)
    if comparison.compared_with in _COMPARED_WITH:
        yield f"\n{escaped(_COMPARED_WITH[comparison.compared_with])}.\n"
    edits = [("widens" if edit.widens else "", of, edit.field, turned_text(edit)) for of, edit in _edits(comparison)]
    if edits:
        yield "\n## What was edited, met by a finding or not\n\n"
        yield markdown_table(("", "Of", "Field", "Edit"), map(_escaped, edits))


def simulation_json(simulation: SimulationReport) -> str:
    """One JSON document, in ASCII."""
    data: dict[str, Any] = msgspec.to_builtins(simulation.report)
    reached = data.pop("reached")
    data |= {"targets": reached if simulation.targets else None, "without_snapshot": dict(simulation.unseen)}
    if simulation.comparison:
        data["comparison"] = {"widens": simulation.comparison.widens, **msgspec.to_builtins(simulation.comparison)}
    return json.dumps(data, indent=2) + "\n"
