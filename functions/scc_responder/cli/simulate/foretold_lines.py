"""What a simulation says of first shots and of messages to people, as lines of text and as tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from scc_responder.cli.terminal.markdown import escaped, markdown_table
from scc_responder.cli.terminal.terminal import styled
from scc_responder.guard.trust.first_shot import FirstShotState
from scc_responder.workbench.simulation.replay_report import ReplayReport
from scc_responder.workbench.simulation.replayed_first_shots import ReplayedShot
from scc_responder.workbench.simulation.replayed_notices import ToldCount

_SHOTS = "First shots: what cannot be undone, where its policy has not acted yet"
_TOLD = "Told to people: findings of HIGH or above that something holds"


def foretold_lines(report: ReplayReport) -> Iterator[str]:
    """For a terminal; nothing where nothing waits, or is told."""
    if report.shots:
        yield styled(_SHOTS, "bold")
        for shot in report.shots:
            yield from _shot(shot)
        if report.shot_count > len(report.shots):
            yield f"  ... and {report.shot_count - len(report.shots):,} more"
        yield ""
    if report.told.messages:
        yield f"{styled(_TOLD, 'bold')}: {_messages(report.told)}"
        yield from (
            f"  {count:>9}  {styled(why, 'yellow')}  {to_do}".rstrip() for count, why, to_do in _rows(report.told)
        )
        yield ""


def foretold_markdown(report: ReplayReport) -> Iterator[str]:
    """For a pull request."""
    if report.shots:
        yield "\n## First shots\n\n"
        shots = ((shot.policy, _place(shot), _waits(shot), _came_to(shot), _said(shot)) for shot in report.shots)
        cells = (tuple(map(escaped, row)) for row in shots)
        yield markdown_table(("Policy", "Where", "Waits", "Then", "One notice"), cells)
    if report.told.messages:
        yield f"\n## Told to people\n\n{escaped(_messages(report.told))}\n\n"
        rows = ((count, escaped(why), escaped(to_do)) for count, why, to_do in _rows(report.told))
        yield markdown_table(("Messages", "Held", "What a person can do now"), rows)


def _shot(shot: ReplayedShot) -> Iterator[str]:
    yield f"  {styled(shot.policy, 'bold')} in {_place(shot)}: {_waits(shot)}"
    refused = shot.state is FirstShotState.REFUSED
    yield f"    {styled('none is done' if refused else 'then', 'red' if refused else 'green'):<9}  {_came_to(shot)}"
    if said := _said(shot):
        yield f"    one notice  {said}"


def _place(shot: ReplayedShot) -> str:
    return shot.place.rpartition("/")[2]


def _waits(shot: ReplayedShot) -> str:
    acts, targets = ("act" if shot.waited == 1 else "acts"), ("target" if shot.targets == 1 else "targets")
    more = [f"{shot.targets - len(shot.named):,} more"] if shot.targets > len(shot.named) else []
    named = ", ".join([*(target.shown for target in shot.named), *more])
    waits = "waits" if shot.waited == 1 else "wait"
    times = f"from {shot.since:%Y-%m-%d %H:%M:%S}Z to {shot.decided_at:%H:%M:%S}Z"
    return f"{shot.waited:,} {acts} on {shot.targets:,} {targets} {waits} {times}: {named}"


def _came_to(shot: ReplayedShot) -> str:
    if shot.state is FirstShotState.REFUSED:
        return shot.detail + (f"; {shot.later:,} more held afterwards" if shot.later else "")
    return _counted(shot.then)


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items()) or "nothing is left to do"


def _said(shot: ReplayedShot) -> str:
    return f"{shot.notice['reason']}: {shot.notice['remedy']}" if shot.notice else ""


def _messages(told: ToldCount) -> str:
    messages = f"{told.messages:,} {'message' if told.messages == 1 else 'messages'}"
    return messages + (
        f", and {told.as_one:,} more findings that one of their workload speaks for" if told.as_one else ""
    )


def _rows(told: ToldCount) -> Iterator[tuple[str, str, str]]:
    """How often, what is held and why, and what a person can do now."""
    for counted in told.holds:
        yield f"{counted.count:,}", f"{counted.hold.action}: {counted.hold.reason}", counted.hold.to_do
    if told.unanswered:
        yield f"{told.unanswered:,}", "no_policy_matched", ""
    if told.further:
        yield f"{told.further:,}", "others", ""
