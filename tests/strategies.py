"""Random notifications with the structure of real ones, and JSON of any kind where a field should be."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.findings import names, notification

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "1970-01-01T00:00:00Z", "STATE_UNSPECIFIED", "NULL_VALUE", "3.0", '"quoted"', "\\u003d"])
)
JSON: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
LABEL = st.from_regex(r"[a-z][a-z0-9]{0,8}(-[a-z0-9]{1,5})?", fullmatch=True)
TEXT = st.text(max_size=30) | st.sampled_from(["\u202egnp.exe", "\x1b[31mred", "a\ud800b", "-rf", "../../etc", "$(id)"])
WHOLE = st.integers(0, 2**63 - 1).map(str) | st.integers(0, 70000) | st.integers(0, 70000).map(float)
TIME = st.builds(
    "{:%Y-%m-%dT%H:%M:%S}{}Z".format,
    st.datetimes(),
    st.sampled_from(["", ".347", ".458107", ".046257728"]),
) | st.sampled_from(["2026-03-02T09:38:12.458107Z", "2026-03-02T11:38:12+02:00", "2025-06-25T16:27:20-070057Z"])
CLUSTER = st.builds(
    "//container.googleapis.com/projects/{}/{}/{}/clusters/{}".format,
    st.sampled_from(["example-project", "100000000001", "other-project"]),
    st.sampled_from(["locations", "zones", "regions"]),
    st.sampled_from(["europe-west1", "europe-west1-b"]),
    st.sampled_from(["prod-1", "prod-2"]),
)
NODE = st.builds(
    "//compute.googleapis.com/projects/{}/zones/{}/instances/{}".format,
    st.sampled_from(["example-project", "other-project"]),
    st.sampled_from(["europe-west1-b", "us-central1-a"]),
    LABEL,
)
RUN = st.builds("//run.googleapis.com/projects/example-project/locations/europe-west1/services/{}".format, LABEL)
RESOURCE = CLUSTER | NODE | RUN | TEXT
FINDING_NAME = st.builds(
    "{}/sources/{}{}/findings/{}".format,
    st.sampled_from(["organizations/123456789012", "projects/100000000001", "folders/7"]),
    st.integers(1, 10**19).map(str),
    st.sampled_from(["", "/locations/global", "/locations/eu"]),
    st.from_regex(r"[a-f0-9]{8,32}", fullmatch=True),
)
CATEGORY = st.sampled_from(["Reverse Shell", "reverse  SHELL", "Added Binary Executed", "Malware: bad IP"]) | TEXT


def _or_junk(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """What belongs there, four times in five; else any JSON."""
    return st.one_of(strategy, strategy, strategy, strategy, JSON)


def _record(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional={name: _or_junk(value) for name, value in fields.items()})


def _listed(item: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(_or_junk(item), max_size=3)


def _as_pairs(record: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in record.items()]


def _map(fields: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    record = _record(fields)
    return record | record.map(_as_pairs) | st.just([])


FILE = _record({"path": TEXT, "sha256": TEXT, "size": WHOLE, "hashedSize": WHOLE, "partiallyHashed": st.booleans()})
PROCESS = _record(
    {
        "name": TEXT,
        "binary": FILE,
        "libraries": _listed(FILE),
        "script": FILE,
        "args": _listed(TEXT | TEXT.map(lambda text: f'"{text}"')),
        "pid": WHOLE,
        "parentPid": WHOLE,
    }
)
CONTAINER = _record({"name": LABEL, "uri": TEXT, "imageId": TEXT, "createTime": TIME})
POD = _record({"ns": LABEL, "name": LABEL | TEXT, "containers": _listed(CONTAINER)})
KUBERNETES = _record(
    {
        "pods": _listed(POD),
        "nodes": _listed(_record({"name": NODE | TEXT})),
        "roles": _listed(_record({"kind": TEXT, "ns": LABEL, "name": LABEL})),
        "bindings": _listed(_record({"ns": LABEL, "name": LABEL, "subjects": _listed(_record({"name": LABEL}))})),
        "objects": _listed(_record({"kind": st.sampled_from(["Pod", "Secret"]), "ns": LABEL, "name": LABEL})),
        "accessReviews": _listed(_record({"verb": TEXT, "resource": TEXT, "ns": LABEL})),
    }
)
SOURCE_PROPERTIES = _map(
    {
        "Pod_Namespace": LABEL,
        "Pod_Name": LABEL,
        "Container_Name": LABEL,
        "Container_Image_Uri": TEXT,
        "VM_Instance_Name": LABEL | NODE,
        "Process_Binary_Fullpath": TEXT,
        "Process_Arguments": _listed(TEXT),
        "Pid": WHOLE,
        "Container_Creation_Timestamp": _record({"seconds": WHOLE, "nanos": WHOLE}),
        "detectionCategory": _record({"ruleName": TEXT, "subRuleName": TEXT}),
        "affectedResources": _listed(
            _record({"gcpResourceName": RESOURCE | LABEL.map("//k8s.io/core/v1/namespaces/shop/pods/{}".format)})
        ),
        "contextUris": _record({"mitreUri": _record({"url": TEXT}), "cloudLoggingQueryUri": _listed(TEXT)}),
    }
)
FINDING = st.builds(
    lambda required, rest: {**required, **rest},
    st.fixed_dictionaries({"name": FINDING_NAME, "category": CATEGORY, "eventTime": TIME}),
    _record(
        {
            "canonicalName": FINDING_NAME,
            "parentDisplayName": st.sampled_from(["Container Threat Detection", "Event Threat Detection", "Acme"]),
            "resourceName": RESOURCE,
            "state": st.sampled_from(["ACTIVE", "INACTIVE", "STATE_UNSPECIFIED"]),
            "mute": st.sampled_from(["MUTED", "UNDEFINED", "MUTE_UNSPECIFIED"]),
            "severity": st.sampled_from(["LOW", "CRITICAL", "SEVERITY_UNSPECIFIED"]),
            "findingClass": st.sampled_from(["THREAT", "MISCONFIGURATION", "BRAND_NEW"]),
            "createTime": TIME,
            "description": TEXT,
            "externalUri": TEXT | st.just("https://example.com/?a\\u003db"),
            "processes": _listed(PROCESS),
            "containers": _listed(CONTAINER),
            "kubernetes": KUBERNETES,
            "sourceProperties": SOURCE_PROPERTIES,
            "securityMarks": _record({"marks": _map({"team": TEXT})}),
            "contacts": _map({"security": _record({"contacts": _listed(_record({"email": TEXT}))})}),
            "mitreAttack": _record({"primaryTactic": TEXT, "primaryTechniques": _listed(TEXT)}),
            "access": _record({"principalEmail": TEXT, "callerIp": TEXT, "userAgent": TEXT}),
            "indicator": _record({"ipAddresses": _listed(TEXT), "signatures": _listed(_record({}))}),
            "connections": _listed(_record({"destinationIp": TEXT, "destinationPort": WHOLE})),
            "files": _listed(FILE),
        }
    ),
)
RESOURCE_RECORD = _record(
    {"name": RESOURCE, "type": TEXT, "projectDisplayName": TEXT, "gcpMetadata": _record({"projectDisplayName": TEXT})}
)
NOTIFICATIONS: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries({"notificationConfigName": TEXT, "finding": FINDING, "resource": RESOURCE_RECORD}),
    st.fixed_dictionaries({"notificationConfigName": TEXT, "finding": FINDING, "resource": RESOURCE_RECORD}),
    st.fixed_dictionaries({"listFindingsResults": st.lists(st.fixed_dictionaries({"finding": FINDING}), max_size=2)}),
    st.fixed_dictionaries({"findings": FINDING, "sourceProperties": SOURCE_PROPERTIES}),
    FINDING,
)
"""Notifications and every other shape that carries a finding."""


def _paths(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Where every value of a document stands."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, inner in items for found in [(*path, key), *_paths(inner, (*path, key))]]


def _mutate(document: Any, path: tuple[str | int, ...], change: str, junk: Any) -> None:
    *parents, key = path
    for parent in parents:
        document = _inner(document, parent)
    if isinstance(document, dict) and key in document:
        _mutate_key(document, key, change, junk)
    elif isinstance(document, list) and isinstance(key, int) and key < len(document):
        document[key] = junk


def _inner(document: Any, key: str | int) -> Any:
    """The value under a key, or None where an earlier change took it away."""
    if isinstance(document, dict):
        return document.get(key)
    return document[key] if isinstance(document, list) and isinstance(key, int) and key < len(document) else None


def _mutate_key(record: dict[Any, Any], key: Any, change: str, junk: Any) -> None:
    if change == "drop":
        del record[key]
    elif change == "pairs" and isinstance(record[key], dict):
        record[key] = _as_pairs(record[key])
    elif change == "repeat" and isinstance(record[key], list):
        record[key] = record[key] * 3
    else:
        record[key] = junk


_GOLDENS = {name: _paths(notification(name)) for name in names()}


@st.composite
def mutated_goldens(draw: st.DrawFn) -> dict[str, Any]:
    """A golden notification with up to six of its values replaced, dropped, repeated or turned into a list of pairs."""
    name = draw(st.sampled_from(sorted(_GOLDENS)))
    document = notification(name)
    for _ in range(draw(st.integers(1, 6))):
        change = draw(st.sampled_from(["junk", "text", "drop", "pairs", "repeat"]))
        junk = draw(JSON) if change == "junk" else draw(TEXT) if change == "text" else None
        _mutate(document, draw(st.sampled_from(_GOLDENS[name])), change, junk)
    return document
