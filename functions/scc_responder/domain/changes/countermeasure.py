"""What an action is against an attacker, in the words of MITRE D3FEND and of OCSF's remediation activities."""

from __future__ import annotations

from enum import Enum, IntEnum


class RemediationClass(IntEnum):
    """The OCSF class of an activity. Source: OCSF 1.6.0, category 7."""

    ANY = 7001
    PROCESS = 7003
    NETWORK = 7004


class RemediationActivity(IntEnum):
    """What the activity does. Source: OCSF 1.6.0, `remediation_activity`, `activity_id`."""

    ISOLATE = 1
    EVICT = 2
    RESTORE = 3
    HARDEN = 4


_ANY, _PROCESS, _NETWORK = RemediationClass
_ISOLATE, _EVICT, _RESTORE, _HARDEN = RemediationActivity


class Countermeasure(Enum):
    """A D3FEND technique: its id, its name, and what it is as an OCSF activity. Source: https://d3fend.mitre.org."""

    EXECUTION_ISOLATION = "D3-EI", "Execution Isolation", _ISOLATE, _ANY
    INBOUND_TRAFFIC_FILTERING = "D3-ITF", "Inbound Traffic Filtering", _ISOLATE, _NETWORK
    NETWORK_ISOLATION = "D3-NI", "Network Isolation", _ISOLATE, _NETWORK
    NETWORK_TRAFFIC_FILTERING = "D3-NTF", "Network Traffic Filtering", _ISOLATE, _NETWORK
    PROCESS_SUSPENSION = "D3-PS", "Process Suspension", _EVICT, _PROCESS
    PROCESS_TERMINATION = "D3-PT", "Process Termination", _EVICT, _PROCESS
    RESTORE_OBJECT = "D3-RO", "Restore Object", _RESTORE, _ANY
    RESTORE_SOFTWARE = "D3-RS", "Restore Software", _RESTORE, _ANY
    USER_ACCOUNT_PERMISSIONS = "D3-UAP", "User Account Permissions", _HARDEN, _ANY

    def __init__(self, uid: str, label: str, activity: RemediationActivity, kind: RemediationClass) -> None:
        self.uid = uid
        self.label = label
        self.activity = activity
        self.kind = kind
