"""Conditions that CEL takes and that can never hold, always hold, or can never be computed."""

from __future__ import annotations

import pytest

from scc_responder.workbench.policies.meaning.condition_meaning import condition_meaning
from scc_responder.workbench.policy_files.cel_mistakes import FUNCTIONS

WRONG = [
    (
        'pod.name.reverse() == "bew"',
        "'reverse' is none of the functions that a condition may call; expected one of all,",
    ),
    ('strings.quote(pod.name) == "a"', "'strings.quote' is none of the functions"),
    ('bool(pod.labels["on"])', "'bool' is none of the functions"),
    ("1/0 == 1", "this can never be computed: it divides by zero"),
    ('finding.event_time > timestamp("2026-01-01")', "write a whole time, such as 2026-01-01T00:00:00Z"),
    ('finding.event_time - finding.create_time < duration("1d")', 'duration("1d") can never be computed; write hours'),
    ('duration("10 minutes") < duration("1h")', 'duration("10 minutes") can never be computed'),
    ('finding.event_time.getHours("Europe/Berln") < 6', "'Europe/Berln' is no time zone"),
    ('threat.name == "reverse_shel"', "did you mean 'reverse_shell'?"),
    ('"reverse_shel" != threat.name', "name is never 'reverse_shel'"),
    ('threat.confidence == "high"', "confidence is never 'high'"),
    ('finding.severity in ["HIHG"]', "severity is never 'HIHG'"),
    ('threat.tactic in ["CREDENTIAL_ACCESS"]', "write 'TA0006'"),
    ('threat.name.startsWith("reverse-")', "no name startsWith 'reverse-'"),
    ("true", "this is always true: ask for a fact, or remove it"),
    ("1 == 1", "this is always true"),
    ('threat.name == "reverse_shell" || 1 == 1', "this is always true"),
    ("!(1 == 1)", "this is always false"),
    ("finding.processes.size() >= 0", "this always holds: size is 0 or more"),
    ("0 > size(finding.processes)", "this never holds: size is 0 or more"),
    ("finding.connections.exists(c, c.destination_port == 70000)", "this never holds: destination_port is 1 to 65535"),
    ("now.getDayOfWeek() == 7", "this never holds: getDayOfWeek is 0 to 6, from Sunday"),
    ('now.getDayOfWeek("Europe/Berlin") in [6, 7]', "getDayOfWeek is never 7; it is 0 to 6, from Sunday"),
    ("now.getMonth() == 12", "getMonth is 0 to 11, from January"),
    ("finding.event_time.getHours() < 24", "this always holds: getHours is 0 to 23"),
    ("now.getMinutes() >= 60", "getMinutes is 0 to 59"),
    ("now.getDate() == 0", "getDate is 1 to 31"),
    ('pod.labels["not a key!"] == "x"', "'not a key!' can never match; a key is like tier or example.com/tier"),
    ('"not a key!" in namespace_object.annotations', "'not a key!' can never match"),
    ('pod.labels["tier"] == "web "', "a label is never 'web '"),
    ('"web*" != node.labels["tier"]', "a label is never 'web*'"),
    ('pod.namespace.startsWith("Shop")', "no namespace startsWith 'Shop'; a namespace is lower-case letters"),
    ('cluster.ref.location.endsWith("-")', "no location endsWith '-'"),
    ('pod.namespace.contains("shop*")', "no namespace contains 'shop*'"),
    ('finding.principal == "user:ann@example.com"', "without the prefix of IAM: write 'ann@example.com'"),
    ('google_identity == "serviceAccount:web@example.com"', "without the prefix of IAM: write 'web@example.com'"),
    ('pod.name.lowerAscii() == "WEB"', "lowerAscii never gives 'WEB'; write 'web'"),
    ('pod.name.upperAscii().contains("web")', "upperAscii never gives 'web'; write 'WEB'"),
    ("pod.name.size() / 0 == 1", "divides by zero"),
    ('ip.in_cidr(pod.name, "10.0.0.1/8")', "'10.0.0.1/8' is no network; write its first address"),
    ('ip.in_cidr(pod.name, "10.0.0/8")', "'10.0.0/8' is no network"),
    ('matches(pod.name, "(")', "is no regular expression of RE2"),
    ('pod.namespace == "Shop"', "namespace is never 'Shop'"),
    ('pod.namespace == "a" && pod.namespace == "b" && pod.name == "c"', "pod.namespace is never both 'a' and 'b'"),
    ('finding.processes.exists(p, p.binary == "/tmp/\u0430b")', "U+0430, CYRILLIC SMALL LETTER A"),
    ('finding.processes.exists(p, p.binary == "/tmp/a" && p.binary == "/tmp/b")', "p.binary is never both"),
    ('related.exists(r, finding.event_time - r.event_time < duration("1d"))', 'duration("1d") can never be'),
]


@pytest.mark.parametrize(("expression", "told"), WRONG)
def test_what_can_never_hold_is_told_once(expression: str, told: str) -> None:
    """One mistake, with its column and a caret below it."""
    (mistake,) = condition_meaning(expression, ("condition",))
    assert told in mistake.text
    assert mistake.text.startswith("column ")
    assert mistake.detail.splitlines()[1].strip() == "^"


@pytest.mark.parametrize(
    "expression",
    [
        'pod.labels["tier"] == "web" && finding.processes.exists(p, p.binary.startsWith("/tmp/"))',
        'related.exists(r, finding.event_time - r.event_time < duration("10m"))',
        'finding.event_time.getHours("Europe/Berlin") >= 8',
        'finding.event_time.getDayOfWeek("+01:00") in [1, 2, 3, 4, 5]',
        'threat.tactic == "TA0006" && finding.mitre_tactic == "CREDENTIAL_ACCESS"',
        'finding.severity in ["HIGH", "CRITICAL"]',
        "finding.processes.size() > 0",
        "finding.connections.all(c, c.destination_port > 1023)",
        'pod.name.matches("^web-[0-9]+$")',
        'namespace_object.labels["example.com/tier"] == "3"',
        'finding.event_time > timestamp("2026-01-01T00:00:00Z") - duration("36h")',
        'finding.processes.exists(p, p.args.exists(a, a.contains("\u043f\u0440\u0438\u0432\u0435\u0442")))',
        'threat.name.startsWith("cloud_run_")',
        "finding.processes.exists(p, true)",
        "(now - pod.creation_time).getHours() > 24 && (now - pod.creation_time).getMinutes() > 90",
        "now.getDayOfWeek() in [0, 6] && now.getMonth() == 11 && now.getDate() == 31 && now.getHours() < 23",
        'pod.labels["example.com/tier"] == "" && pod.annotations["a"] == "free text!" && pod.labels["a"] != "x_y"',
        'pod.namespace.startsWith("shop-") && pod.namespace.endsWith("-1") && pod.namespace.contains("-")',
        'finding.principal == "system:serviceaccount:shop:web" && pod.name.lowerAscii().contains("we-1")',
        'finding.principal.endsWith("@example.com")',
        'service.labels["gr\u00f6\u00dfe"] == "gro\u00df" && "gr\u00f6\u00dfe" in cluster.labels',
    ],
)
def test_what_may_hold_is_met_with_silence(expression: str) -> None:
    """Conditions that people write."""
    assert list(condition_meaning(expression, ("condition",))) == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_listed_function_may_be_called(name: str) -> None:
    """Its example in the reference is right."""
    assert list(condition_meaning(FUNCTIONS[name], ("condition",))) == []


@pytest.mark.parametrize("expression", ["", "threat.nam == 1", "1 +", "pod.name"])
def test_what_does_not_load_is_told_elsewhere(expression: str) -> None:
    """One mistake is told once."""
    assert list(condition_meaning(expression, ("condition",))) == []


def test_the_line_within_a_text_of_several_lines() -> None:
    """The caret stands below the line that is wrong."""
    (mistake,) = condition_meaning('pod.name == "a" &&\n  threat.confidence == "high"\n', ("condition",))
    assert (mistake.row, mistake.detail.splitlines()[0]) == (2, '  threat.confidence == "high"')


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        ('finding.files.exists(f, "WRITTEN" in f.operations)', "operations is never 'WRITTEN'; expected one of OPEN"),
        ('workload_object.kind == "deployment"', "did you mean 'Deployment'?"),
        ('google_identity == "web"', "google_identity is never 'web'; write an e-mail address"),
        ('google_identity in ["web@example.com", "web"]', "google_identity is never 'web'"),
        ("live.workload.ready < 0", "this never holds: ready is 0 or more"),
        ("live.workload.replicas >= 0", "this always holds: replicas is 0 or more"),
        ("live.budgets.all(b, b.disruptions_allowed >= 0)", "this always holds"),
    ],
)
def test_a_fact_that_is_asked_for_has_its_own_values(expression: str, told: str) -> None:
    """What it never has is an error, as of any other fact."""
    assert told in " ".join(mistake.text for mistake in condition_meaning(expression, ("condition",)))


@pytest.mark.parametrize(
    "expression",
    [
        'finding.files.exists(f, "WRITE" in f.operations)',
        'workload_object.kind in ["Deployment", "StatefulSet"]',
        'google_identity == "web@example-project.iam.gserviceaccount.com"',
        "live.workload.ready > 0 && live.budgets.all(b, b.disruptions_allowed > 0)",
        '"tier" in workload_object.labels',
    ],
)
def test_a_value_that_it_may_have_is_no_mistake(expression: str) -> None:
    """Keys of labels are anybody's."""
    assert list(condition_meaning(expression, ("condition",))) == []
