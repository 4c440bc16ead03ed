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


class Countermeasure(Enum):
    """A D3FEND technique: its id, its name, and what it is as an OCSF activity. Source: https://d3fend.mitre.org."""

    EXECUTION_ISOLATION = "D3-EI", "Execution Isolation", RemediationActivity.ISOLATE, RemediationClass.ANY
    INBOUND_TRAFFIC_FILTERING = (
        "D3-ITF",
        "Inbound Traffic Filtering",
        RemediationActivity.ISOLATE,
        RemediationClass.NETWORK,
    )
    NETWORK_ISOLATION = "D3-NI", "Network Isolation", RemediationActivity.ISOLATE, RemediationClass.NETWORK
    NETWORK_TRAFFIC_FILTERING = (
        "D3-NTF",
        "Network Traffic Filtering",
        RemediationActivity.ISOLATE,
        RemediationClass.NETWORK,
    )
    PROCESS_SUSPENSION = "D3-PS", "Process Suspension", RemediationActivity.EVICT, RemediationClass.PROCESS
    PROCESS_TERMINATION = "D3-PT", "Process Termination", RemediationActivity.EVICT, RemediationClass.PROCESS
    RESTORE_OBJECT = "D3-RO", "Restore Object", RemediationActivity.RESTORE, RemediationClass.ANY
    RESTORE_SOFTWARE = "D3-RS", "Restore Software", RemediationActivity.RESTORE, RemediationClass.ANY
    USER_ACCOUNT_PERMISSIONS = (
        "D3-UAP",
        "User Account Permissions",
        RemediationActivity.HARDEN,
        RemediationClass.ANY,
    )

    def __init__(self, uid: str, label: str, activity: RemediationActivity, kind: RemediationClass) -> None:
        self.uid = uid
        self.label = label
        self.activity = activity
        self.kind = kind
