"""The traps of the wire: how real payloads differ, each shown by one finding that is changed in one way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tests.findings import notification
from tests.findings.layout import laid_out
from tests.findings.trap_shapes import (
    console_json_tab,
    list_findings_item,
    machine_v1,
    resource_inside,
    source_properties_alone,
    v1_of_2019,
)

BASE = "modified_malicious_library_loaded"
"""What is changed: a shipped policy asks for every action upon it, so that a trap shows in the decision."""

Document = dict[str, Any]


class Trap(NamedTuple):
    """One golden: what it is for, its text, and the golden whose target is its target, with what is otherwise there."""

    about: str
    text: str
    target: Document
    context: Mapping[str, Any] = {}


def traps() -> dict[str, Trap]:
    """Every trap, by file name."""
    base = notification(BASE)
    plain = {name: Trap(about, laid_out(_changed(change)), base) for name, (about, change) in _CHANGES.items()}
    plain["machine_v1"] = plain["machine_v1"]._replace(target=_changed(machine_v1))
    texts = {name: Trap(about, text, base) for name, (about, text) in _texts().items()}
    return {**plain, **texts, **_contexts()}


def _changed(change: Callable[[Document], Any]) -> Any:
    document = notification(BASE)
    changed = change(document)
    return document if changed is None else changed


def _texts() -> dict[str, tuple[str, str]]:
    """Traps that are in the text, not in the data: no JSON library would write them."""
    text = laid_out(_changed(_with_equals))
    numbers = laid_out(notification(BASE))
    return {
        "gson_escapes": ("Gson writes `=`, `'`, `<`, `>` and `&` as escapes", _gson(text, "\\")),
        "gson_escapes_doubled": ("republished copies escape the escapes", _gson(text, "\\\\")),
        "numbers_with_exponents": (
            "`google.protobuf.Value` prints numbers as doubles, large ones with an exponent",
            numbers.replace('"17"', "17.0").replace('"121272"', "1.21272E5").replace('"6835512"', "6.835512E6"),
        ),
        "lone_surrogate": ("half a character in an argument, as an attacker can write it", _surrogate(numbers)),
        "not_json": ("a test message that is no JSON", "hello\n"),
    }


def _with_equals(document: Document) -> None:
    document["finding"]["processes"][0]["args"] = ["python3", "-c", "a=1; b='x' && cat <in >out"]


def _gson(text: str, backslash: str) -> str:
    head, mark, rest = text.partition('"args"')
    for character in "='<>&":
        rest = rest.replace(character, f"{backslash}u{ord(character):04x}")
    return head + mark + rest


def _surrogate(text: str) -> str:
    head, mark, rest = text.partition('"args": [')
    return f'{head}{mark}"\\ud83d", {rest}'


def _contexts() -> dict[str, Trap]:
    """Traps that are in the cluster, not in the finding."""
    absent = {"pod": None, "missing": {"pod": "target_absent"}}
    unreadable = {"pod": None, "missing": {"pod": "pod_unreadable"}}
    alone = {"related": None, "missing": {"related": "timeout"}}
    return {
        "admission_refused": _known(
            "the API request was refused after it was detected: there is no such pod",
            notification("affected_resource_pod"),
            absent,
        ),
        "agents_name_elsewhere": _known(
            "a pod that has only the name of Google's agent is handled as any other",
            notification(BASE, pod="container-watcher-abc12"),
            {},
        ),
        "pod_gone": _known("the pod is gone before its finding arrives", notification(BASE), absent),
        "pod_unreadable": _known("the pod cannot be read", notification(BASE), unreadable),
        "autopilot": _known("only the cluster says Autopilot", notification(BASE), {"cluster": _autopilot()}),
        "related_unreadable": _known("related findings cannot be read", notification(BASE), alone),
    }


def _known(about: str, document: Document, context: Mapping[str, Any]) -> Trap:
    return Trap(about, laid_out(document), document, context)


def _autopilot() -> Document:
    ref = {"project": "example-project", "location": "europe-west1", "name": "prod-1"}
    return {"ref": ref, "autopilot": True, "enforces_network_policy": True}


def _pairs(record: Mapping[str, Any]) -> list[Document]:
    return [{"key": key, "value": value} for key, value in record.items()]


def _maps_as_pairs(document: Document) -> None:
    finding = document["finding"]
    finding["securityMarks"]["marks"] = _pairs({"team": "shop"})
    finding |= {name: _pairs(finding[name]) for name in ("sourceProperties", "contacts")}


def _maps_as_lists(document: Document) -> None:
    document["finding"] |= {"sourceProperties": [], "contacts": [], "access": [], "indicator": []}
    document["finding"]["securityMarks"]["marks"] = []


def _nulls(document: Document) -> None:
    names = ("sourceProperties", "access", "indicator", "files", "mitreAttack", "muteInitiator", "connections")
    document["finding"] |= dict.fromkeys(names)
    document["finding"]["description"] = "NULL_VALUE"
    document["finding"]["processes"][0]["script"] = None


def _defaults_printed(document: Document) -> None:
    finding = document["finding"]
    finding |= {"muteInitiator": "", "moduleName": "", "files": [], "vulnerability": {}, "mute": "MUTE_UNSPECIFIED"}
    finding |= {"muteUpdateTime": "1970-01-01T00:00:00Z", "access": {"principalEmail": "", "callerIp": ""}}
    finding["processes"][0] |= {"script": {"path": "", "size": "0", "operations": []}, "userId": "0"}
    finding["kubernetes"] |= {"nodePools": [], "roles": [], "bindings": [], "accessReviews": [], "objects": []}


def _turned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _turned(item) for key, item in reversed(value.items())}
    return [_turned(item) for item in value] if isinstance(value, list) else value


def _json_encoded(document: Document) -> None:
    process = document["finding"]["processes"][0]
    process["args"] = [json.dumps(word) for word in ("python3", "-c", 'print("hi")\n\u202e')]
    process["binary"]["path"] = '"/usr/local/bin/python3.12"'


def _newer(document: Document) -> None:
    document["finding"] |= {"findingTier": "TIER_NEW", "agentContext": {"skill": ["x"]}, "cloudProvider": "MARS"}
    document["finding"]["mitreAttack"] = {"primaryTactic": "BRAND_NEW", "primaryTechniques": ["EVEN_NEWER"]}
    document["finding"]["processes"][0]["sandbox"] = {"kind": "gvisor"}


def _hostile(document: Document) -> None:
    finding = document["finding"]
    finding["description"] = "[click](javascript:alert(1)) <img src=x onerror=alert(1)> \u202e\u001b[2J"
    finding["processes"][0]["args"] = ["python3", "-c", "$(reboot)", "../../etc/passwd", "{{7*7}}", "\u0000"]


_CHANGES: dict[str, tuple[str, Callable[[Document], Any]]] = {
    "maps_as_pairs": ("re-serialisers print maps as lists of pairs", _maps_as_pairs),
    "maps_as_empty_lists": ("`[]` where a map would be means that there is none", _maps_as_lists),
    "nulls": ("`null`, and its text, mean not set", _nulls),
    "defaults_printed": ("another serialiser prints everything that is not set", _defaults_printed),
    "keys_in_another_order": ("the order of keys changes between notifications of one finding", _turned),
    "no_source_properties": (
        "newer findings have typed fields alone",
        lambda document: document["finding"].pop("sourceProperties") and None,
    ),
    "source_properties_alone": ("older findings have no typed fields, and numbers as doubles", source_properties_alone),
    "nine_digit_time": (
        "times have up to nine fraction digits",
        lambda document: document["finding"].update(eventTime="2026-03-02T09:38:12.458107728Z"),
    ),
    "no_fraction_time": (
        "times may have no fraction",
        lambda document: document["finding"].update(eventTime="2026-03-02T09:38:12Z"),
    ),
    "broken_time": (
        "a scrubbed copy has a time that is none: refused, not guessed",
        lambda document: document["finding"].update(eventTime="2026-03-02T09:38:12-070057Z"),
    ),
    "project_number": (
        "the cluster's project is a number",
        lambda document: json.loads(
            json.dumps(document).replace("m/projects/example-project/loc", "m/projects/100000000001/loc")
        ),
    ),
    "json_encoded_args": ("arguments and paths have a second layer of escapes", _json_encoded),
    "unknown_fields": ("fields and enum values that are newer than the published protos", _newer),
    "hostile_text": ("text that an attacker wrote: markup, controls, templates, paths", _hostile),
    "list_findings_item": ("one item of a ListFindings response", list_findings_item),
    "list_findings_response": (
        "a whole ListFindings response with one item",
        lambda document: {"listFindingsResults": [list_findings_item(document)], "totalSize": 1},
    ),
    "list_findings_two": (
        "a response with two findings is refused: which one is meant?",
        lambda document: {"listFindingsResults": [{"finding": {}}, {"finding": {}}], "totalSize": 2},
    ),
    "console_json_tab": (
        "the console's JSON tab: `findings`, source properties beside it, snake case",
        console_json_tab,
    ),
    "resource_inside": ("the resource inside the finding", resource_inside),
    "v1_of_2019": ("no class, severity, resource or typed fields", v1_of_2019),
    "machine_v1": ("Virtual Machine Threat Detection in v1: an instance's number, and `threats`", machine_v1),
    "cloud_logging_export": (
        "Event Threat Detection's log entry is no finding, though it tells of one",
        lambda document: {
            "jsonPayload": {"category": "Malware: Bad IP", "findingId": "7ccd6aa9"},
            "logName": "organizations/123456789012/logs/threatdetection.googleapis.com%2Fdetection",
        },
    ),
    "other_json": ("JSON that is no notification", lambda document: {"hello": "world"}),
    "agents_principal": (
        "Google's own agent, known by its principal",
        lambda document: document["finding"].update(
            access={"principalEmail": "service-project-100000000001@gcp-sa-ktd-hpsa.iam.gserviceaccount.com"}
        ),
    ),
    "vulnerability": (
        "another class of finding",
        lambda document: document["finding"].update(findingClass="VULNERABILITY"),
    ),
}
