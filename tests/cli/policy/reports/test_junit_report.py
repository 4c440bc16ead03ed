"""JUnit's XML of the results, as CI systems read it."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from scc_responder.cli.policy.reports.junit_report import junit
from scc_responder.workbench.policies.policy_tests import CaseResult, Line, PolicyResult
from scc_responder.workbench.policy_files.mistakes import Fault

HOSTILE = 'a<b>&"\x1b[31m\u202e'
FAULT = Fault(file="contain.test.yaml", line=5, path="cases[1].given.nod", text="unknown field")
RESULTS = [
    PolicyResult(policy="right", cases=(CaseResult(name="acts", finding="f", lines=(Line(expected="a", came="a"),)),)),
    PolicyResult(
        policy="contain",
        cases=(
            CaseResult(name=HOSTILE, finding="f", lines=(Line(expected="notify", came=HOSTILE),)),
            CaseResult(name="is wrong", finding="", faults=(FAULT,)),
        ),
        untested=("then[0] notify",),
    ),
]


def test_every_case_is_one_of_a_suite() -> None:
    """Each policy is a suite, each case has its failure, and what the cases do not show is one more."""
    root = ET.fromstring(junit(RESULTS, ["gone.test.yaml"]))
    assert (root.attrib["tests"], root.attrib["failures"]) == ("5", "4")
    assert [(suite.attrib["name"], suite.attrib["tests"], suite.attrib["failures"]) for suite in root] == [
        ("right", "1", "0"),
        ("contain", "3", "3"),
        ("gone", "1", "1"),
    ]
    messages = [failure.attrib["message"] for failure in root.iter("failure")]
    assert messages[1] == "contain.test.yaml:5: cases[1].given.nod: unknown field"
    assert messages[2:] == [
        "no case plans then[0] notify",
        "gone.test.yaml: no policy of that name stands beside it",
    ]


def test_hostile_names_stay_text() -> None:
    """What stands in cases and findings is neither markup nor a control character."""
    text = junit(RESULTS, [HOSTILE])
    assert ET.fromstring(text) is not None
    assert "\x1b" not in text
    assert "\u202e" not in text
