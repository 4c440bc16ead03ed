"""What Terraform rendered, taken from the state that `terraform test` told; nothing of it is written down again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.pubsub_v1.types import DeadLetterPolicy, ExpirationPolicy, PushConfig, RetryPolicy, Subscription

from tests.rehearsal.local import LONGEST_RETENTION
from tests.terraform.checking import State
from tests.terraform.grants import grants
from tests.terraform.promises import TOPIC, function, of_type

PUSH, DEAD_LETTERS = "google_pubsub_subscription.push", "google_pubsub_subscription.dead_letters"
RUN = 'google_service_account.responder["run"]'
RUN_WRITER = "google_service_account.run_writer[0]"
UNDO = "google_service_account.undo[0]"
_OF_GOOGLES_ROLES = {"roles/iam.serviceAccountTokenCreator": {"iam.serviceAccounts.getAccessToken"}}
"""What is used of a role that is Google's own."""


class Rendered:
    """One deployment, as the module would make it."""

    def __init__(self, state: State) -> None:
        self.state = state

    @property
    def environment(self) -> dict[str, str]:
        """The function's environment."""
        service, _ = function(self.state)
        return dict(service["environment_variables"])

    @property
    def identity(self) -> dict[str, str]:
        """The function's service account, by the two names that an API server may know it by."""
        account = self.state[RUN]
        return {"email": account["email"], "unique_id": account["unique_id"]}

    @property
    def cluster(self) -> str:
        """A cluster that the function may act in."""
        patterns = self.environment["SCC_RESPONDER_CLUSTERS"].split(",")
        return next(pattern for pattern in patterns if "*" not in pattern)

    def topic(self, name: str) -> str:
        """The full name of a topic: `findings`, `dead-letters` or `outcomes`."""
        values = self.state[TOPIC.format(name)]
        return f"projects/{values['project']}/topics/{values['name']}"

    def subscriptions(self, push_endpoint: str) -> list[Subscription]:
        """Both subscriptions with every setting they have, pushing to another address."""
        return [_subscription(self.state[address], push_endpoint) for address in (PUSH, DEAD_LETTERS)]

    def held(self, without: str = "", identity: str = RUN) -> dict[str, set[str]]:
        """The permissions that an identity is granted, by what on; one may be taken out of its role."""
        roles = _OF_GOOGLES_ROLES | {role["name"]: set(role["permissions"]) for role in self._custom_roles()}
        found: dict[str, set[str]] = {}
        for target, role, member in grants(self.state):
            if member == self.state[identity]["member"]:
                found.setdefault(target, set()).update(roles[role.partition(" if ")[0]] - {without})
        return found

    def _custom_roles(self) -> list[dict[str, Any]]:
        kinds = ("google_organization_iam_custom_role", "google_project_iam_custom_role")
        return [role for kind in kinds for role in of_type(self.state, kind)]


def _subscription(values: Mapping[str, Any], push_endpoint: str) -> Subscription:
    settings: dict[str, Any] = {
        "name": f"projects/{values['project']}/subscriptions/{values['name']}",
        "topic": values["topic"],
        "message_retention_duration": _duration(values["message_retention_duration"], LONGEST_RETENTION),
        "ack_deadline_seconds": values["ack_deadline_seconds"] or 0,
        "expiration_policy": ExpirationPolicy(),  # an empty time to live: it never expires
    }
    assert values["expiration_policy"] == [{"ttl": ""}]
    for back_off in values["retry_policy"]:
        settings["retry_policy"] = RetryPolicy({name: _duration(value) for name, value in back_off.items()})
    for letters in values["dead_letter_policy"]:
        settings["dead_letter_policy"] = DeadLetterPolicy(letters)
    for push in values["push_config"]:
        token = PushConfig.OidcToken(push["oidc_token"][0])
        settings["push_config"] = PushConfig(push_endpoint=push_endpoint, oidc_token=token)
    return Subscription(settings)


def _duration(text: str, most: int = 600) -> Duration:
    """A duration as Terraform writes it: `10s`."""
    return Duration(seconds=min(int(text.removesuffix("s")), most))
