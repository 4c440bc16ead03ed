"""The errors, by what the caller must do about them.

ResponderError
  SettingsError      the deployment is configured wrongly: the start stops
  PolicyError        a policy or guardrails file is unusable: nothing may be decided
  DeliveryError      what a delivery, an answer or a sweep meets: recorded with a `Reason`
    RejectedMessage  not a finding that can be read: read again by its name, or recorded and settled
    OversizeMessage  too large to parse: the finding is re-read by name
    Forbidden        who asks may not, or cannot prove who they are: answered 403
    RetryableError   a later delivery may succeed: answered 503
    ApiError         an API refused or failed; adapters raise it, `execute` and `collect` classify it
      OutcomeUnknown the request may or may not have been applied: probe before deciding
    StoreError
      AlreadyExists  create of a key that is there
      Conflict       the entry has another version than the caller saw
      StoreUnavailable the store was not asked, or did nothing: nothing may be changed
        StoreOutcomeUnknown  the write may or may not have been stored: read before deciding
"""

from __future__ import annotations

from typing import Any

from scc_responder.domain.reasons import Reason


class ResponderError(Exception):
    """The base of all errors that this package raises. `reason` is a snake_case word for records."""

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason
        self.permission = ""
        """What was missing where the caller was refused."""

    @property
    def lasting(self) -> bool:
        """Whether the next delivery would meet it again."""
        return False

    @property
    def explanation(self) -> str:
        """What a person can do something about: the missing permission where there is one, else the message."""
        return f"missing permission: {self.permission}" if self.permission else str(self)


def without_secrets(error: BaseException) -> str:
    """The message of an error of ours; of others the kind alone, since they may quote a header, and with it a token."""
    return str(error) if isinstance(error, ResponderError) else type(error).__name__


class SettingsError(ResponderError):
    """The environment or command line cannot be used as it is. The message names the variable and the remedy."""


class PolicyError(ResponderError):
    """A policy or guardrails file is unusable. The message names file, line, path and remedy.

    `faults` are the mistakes one by one (`mistakes.Fault`), where they are known.
    """

    def __init__(self, reason: str, message: str = "", *, faults: tuple[Any, ...] = ()) -> None:
        super().__init__(reason, message)
        self.faults = faults


class DeliveryError(ResponderError):
    """An error of a delivery, an answer or a sweep, which is recorded with its reason."""

    reason: Reason

    def __init__(self, reason: Reason, message: str = "", *, permission: str = "") -> None:
        super().__init__(reason, message)
        self.permission = permission

    @property
    def lasting(self) -> bool:
        """Whether the next delivery would meet it again."""
        return self.reason.is_lasting


class RejectedMessage(DeliveryError):  # noqa: N818 - a fact about a message, not a fault of ours
    """The message is not a finding that can be read. It is recorded by its hash, never parsed further.

    Where it names a finding (`finding_name`), that one is read again by its name. `is_about_finding`: it holds what may
    be the name of one, or of several. `sha256` is the hex digest of what could not be read: the message's data where it
    was reached, else the whole body.
    """

    def __init__(self, reason: Reason, message: str = "", *, sha256: str = "", message_id: str = "") -> None:
        super().__init__(reason, message)
        self.sha256 = sha256
        self.message_id = message_id
        self.finding_name: str | None = None
        self.is_about_finding = False


class OversizeMessage(DeliveryError):  # noqa: N818 - a fact about a message, not a fault of ours
    """The message is larger than what is parsed. `finding_name` was cut out of it; None where that was not possible."""

    def __init__(
        self,
        reason: Reason,
        message: str = "",
        *,
        sha256: str = "",
        message_id: str = "",
        finding_name: str | None = None,
    ) -> None:
        super().__init__(reason, message)
        self.sha256 = sha256
        self.message_id = message_id
        self.finding_name = finding_name


class Forbidden(DeliveryError):  # noqa: N818 - the protocol's own term
    """The caller is not allowed, or could not prove its identity. The reason is for the log alone."""


class RetryableError(DeliveryError):
    """A later delivery may succeed; the message must come again."""


GKE_WARDEN = "GKE Warden"
"""The admission of GKE itself, which protects what is Google's."""


VPC_SERVICE_CONTROLS = "VPC Service Controls"
"""A service perimeter, which no permission opens."""


class ApiError(DeliveryError):
    """An API answered with an error.

    `status` is the HTTP status (gRPC codes are mapped to theirs; 0 means no answer), `permission` names what is
    missing when the caller was refused, `body_reason` is the `reason` of a Kubernetes `Status`.
    `refused_by` is what refused, where the answer names it: an admission policy, `GKE_WARDEN`, `VPC_SERVICE_CONTROLS`,
    or an IAM permission; `rule` is the message of the admission policy's rule.
    """

    def __init__(
        self,
        reason: Reason,
        message: str = "",
        *,
        status: int = 0,
        permission: str = "",
        body_reason: str = "",
        refused_by: str = "",
        rule: str = "",
        retry_after_seconds: float = 0.0,
    ) -> None:
        super().__init__(reason, message, permission=permission)
        self.status = status
        self.body_reason = body_reason
        self.refused_by = refused_by
        self.rule = rule
        self.retry_after_seconds = retry_after_seconds

    @property
    def may_pass(self) -> bool:
        """Whether the same request may be answered later: nobody answered, or not now."""
        return not self.lasting and (self.status in {0, 429} or self.status >= 500)

    @property
    def is_about_object(self) -> bool:
        """Whether it is for this very object, its size, form or node, that nothing is had: waiting seldom helps."""
        told = {Reason.OVERSIZE_ANSWER, Reason.PARTIAL_LIST, Reason.NODE_NOT_ANSWERING}
        return self.status in {413, 422} or self.reason in told


class OutcomeUnknown(ApiError):  # noqa: N818 - names the state of knowledge
    """The request was sent and no usable answer came: it may have been applied."""


class StoreError(DeliveryError):
    """The compare-and-set store did not do what was asked."""


class AlreadyExists(StoreError):  # noqa: N818 - the store's own term
    """`create` found the key taken."""


class Conflict(StoreError):  # noqa: N818 - the store's own term
    """`replace` or `delete` found another version, or none."""


class StoreUnavailable(StoreError):  # noqa: N818 - the store's own term
    """The store did not do it, and nothing was written.

    A caller that cannot tell it from `StoreOutcomeUnknown` must stop.
    """


class StoreOutcomeUnknown(StoreUnavailable):
    """A write was sent and no usable answer came: it may have been stored, or may yet be."""
