"""What an action is against an attacker is said in D3FEND's words, and in numbers that OCSF has."""

from __future__ import annotations

import re

from ocsf_json_schema import get_ocsf_schema

from scc_responder.actions import actions
from scc_responder.domain.changes.countermeasure import Countermeasure, RemediationActivity
from scc_responder.journal.account.ocsf_events import OCSF_VERSION


def test_every_action_against_an_attacker_names_its_countermeasure() -> None:
    """What only observes, looks, marks or tells has none."""
    marks = {"annotate_pod", "inspect_container", "label_pod"}
    without = {name for name, known in actions().items() if known.against is None}
    assert without == marks | {name for name, known in actions().items() if known.observes or known.tells}


def test_a_technique_has_one_id_and_one_name() -> None:
    """Ids have D3FEND's form."""
    assert all(re.fullmatch(r"D3-[A-Z]{2,5}", known.uid) for known in Countermeasure)
    assert len({known.uid for known in Countermeasure}) == len({known.label for known in Countermeasure})
    assert len({known.uid for known in Countermeasure}) == len(Countermeasure)


def test_activities_are_called_as_ocsf_calls_them() -> None:
    """Each number is the one of the class's own list."""
    listed = get_ocsf_schema(OCSF_VERSION)["classes"]["remediation_activity"]["attributes"]["activity_id"]["enum"]
    assert {str(int(one)): one.name.capitalize() for one in RemediationActivity}.items() <= {
        number: entry["caption"] for number, entry in listed.items()
    }.items()
