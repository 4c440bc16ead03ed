"""Whether this machine's clock and a server's agree."""

from __future__ import annotations

from datetime import datetime, timedelta

from scc_responder.workbench.doctor.check import OR, Check, fault, ok

MOST = timedelta(seconds=10)
"""The clock difference that tokens and the age of findings tolerate."""


def judge_clock(name: str, probed: str, server: datetime, asked: tuple[datetime, datetime]) -> Check:
    """The server's time against that before and after it was asked."""
    before, after = asked
    ahead, behind = before - server, server - after
    if max(ahead, behind) <= MOST:
        return ok(name, probed, "the clocks agree")
    skew = max(ahead, behind)
    way = "ahead of" if ahead > behind else "behind"
    why = f"this machine's clock is {skew.total_seconds():.0f} s {way} the server's: the age of findings is misjudged"
    return fault(name, probed, "clock_skewed", why, f"sudo chronyc makestep{OR}sudo timedatectl set-ntp true")
