"""The shapes in which a finding travels, each made of a notification as v2 publishes it."""

from __future__ import annotations

import copy
import json
from typing import Any

Document = dict[str, Any]


def source_properties_alone(document: Document) -> None:
    """Typed fields gone; numbers as doubles, as an older sample has them."""
    finding = document["finding"]
    container = finding["containers"][0]
    for name in ("containers", "kubernetes", "processes"):
        finding.pop(name)
    finding["sourceProperties"] |= {
        "Pod_Namespace": "shop",
        "Pod_Name": "web-6d5f9c7b4-x2x9q",
        "Container_Name": container["name"],
        "Container_Image_Uri": container["uri"],
        "Container_Image_Id": container["imageId"],
        "Container_Creation_Timestamp": {"seconds": 1772441883.0, "nanos": 7.71204518e8},
        "Process_Binary_Fullpath": "/usr/local/bin/python3.12",
        "Process_Arguments": ["python3", "/app/server.py"],
        "Added_Library_Fullpath": "/usr/lib/x86_64-linux-gnu/libz.so.1.3",
        "Pid": 17.0,
        "Parent_Pid": 1.0,
    }


def list_findings_item(document: Document) -> Document:
    """Numbers are whole there, and times are cut to milliseconds."""
    finding = copy.deepcopy(document["finding"])
    finding["eventTime"] = "2026-03-02T09:38:12.458Z"
    finding["sourceProperties"]["Pid"] = 17
    return {"finding": finding, "resource": document["resource"]}


def console_json_tab(document: Document) -> Document:
    """What a person copies from the console: source properties beside the finding, a resource in snake case."""
    source_properties_alone(document)
    finding = document["finding"]
    source = finding.pop("sourceProperties")
    resource = {
        "name": finding["resourceName"],
        "display_name": "prod-1",
        "project_name": "//cloudresourcemanager.googleapis.com/projects/100000000001",
        "project_display_name": "example-project",
        "parent_name": "//cloudresourcemanager.googleapis.com/projects/100000000001",
    }
    return {"findings": finding, "resource": resource, "sourceProperties": source}


def v1_of_2019(document: Document) -> Document:
    """As published in 2019: no class, no severity, no resource, no typed fields."""
    text = json.dumps(document).replace("/locations/global", "")
    older: Document = json.loads(text)
    source_properties_alone(older)
    for name in ("findingClass", "severity", "mute", "contacts", "mitreAttack", "canonicalName"):
        older["finding"].pop(name, None)
    older.pop("resource")
    return older


def machine_v1(document: Document) -> Document:
    """The instance is known by its number; what was found stands in source properties, in snake case."""
    finding = document["finding"]
    instance = "//compute.googleapis.com/projects/example-project/zones/europe-west1-b/instances/5289438569693667937"
    path = "organizations/123456789012/sources/5555555555555555555"
    found = {
        "binary": "XMRig",
        "detections": [{"binary_name": "linux-x86-64_xmrig_6.15.1", "percent_pages_matched": 0.23}],
    }
    return {
        "notificationConfigName": "organizations/123456789012/notificationConfigs/scc-responder",
        "finding": {
            "category": "Execution: Cryptocurrency Mining Combined Detection",
            "sourceProperties": {
                "threats": [
                    {"memory_hash_detector": found},
                    {"yara_rule_detector": {"yara_rule_name": "YARA_RULE1"}},
                ]
            },
            "parentDisplayName": "Virtual Machine Threat Detection",
            "resourceName": instance,
            "state": "ACTIVE",
            "severity": "HIGH",
            "findingClass": "THREAT",
            "eventTime": finding["eventTime"],
            "name": f"{path}/findings/f3aec71664673d61db90d8efb99e7bac",
            "parent": path,
        },
        "resource": {"name": instance, "projectDisplayName": "example-project", "type": "google.compute.Instance"},
    }


def resource_inside(document: Document) -> None:
    """The resource inside the finding, not beside it."""
    document["finding"]["resource"] = document.pop("resource")
