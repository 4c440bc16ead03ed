"""What a rehearsal changes of the environment that Terraform rendered, and why. Nothing else differs."""

from __future__ import annotations

from collections.abc import Mapping

REPLACED = {
    "SCC_RESPONDER_EVIDENCE": "a bucket (gs://) cannot be had here: a folder, written to by the same library",
}
"""Rendered settings with another value."""

ADDED = {
    "FIRESTORE_EMULATOR_HOST": "Google's emulator in place of firestore.googleapis.com; the database's name stays",
    "PUBSUB_EMULATOR_HOST": "Google's emulator in place of pubsub.googleapis.com; the topic's name stays",
    "SCC_RESPONDER_SCC_ENDPOINT": "a local server of Google's protos in place of securitycenter.googleapis.com",
    "SCC_RESPONDER_GKE_ENDPOINT": "a local server of Google's protos in place of container.googleapis.com",
    "SCC_RESPONDER_LOGGING_ENDPOINT": "a local server of Google's protos in place of logging.googleapis.com",
    "SCC_RESPONDER_KUBERNETES_TOKEN_FILE": "there is no metadata server to give the identity's token",
}
"""Addresses that a deployment does not have."""

OF_CLOUD_RUN = {
    "SCC_RESPONDER_RUN_ENDPOINT": "a local server of Google's protos in place of run.googleapis.com",
    "SCC_RESPONDER_RUN_V1_ENDPOINT": "a local server in place of each region's Admin API v1",
    "SCC_RESPONDER_IAM_CREDENTIALS_ENDPOINT": "a local server in place of iamcredentials.googleapis.com",
    "SCC_RESPONDER_MONITORING_ENDPOINT": "a local server of Google's protos in place of monitoring.googleapis.com",
    "SCC_RESPONDER_APPROVAL_CERTS": "a local issuer in place of Google, which signs who approves",
    "SCC_RESPONDER_IAP_KEYS": "a local Identity-Aware Proxy, which signs whom it let in",
}
"""The same, where the rehearsal is one of Cloud Run."""

OF_THE_CONSOLE = {
    "SCC_RESPONDER_CONSOLE_URL": "the local proxy's address: a browser on this machine knows no other",
    "SCC_RESPONDER_FUNCTION_URL": "the function's address here",
    "SCC_RESPONDER_UNDO_URL": "the service of undo's address here",
}
"""Settings of the console with another value."""

PLATFORM = {
    "K_SERVICE": "set by Cloud Run, where the function refuses every line above: so it is left out, and that is tested",
    "CLOUD_RUN_TIMEOUT_SECONDS": "set by Cloud Run to the rendered timeout, and so here",
}
"""What Cloud Run sets itself."""

LONGEST_RETENTION = 7 * 86400
"""Google keeps messages for 31 days, as dead letters are to be. Its emulator refuses more than 7."""


def localized(rendered: Mapping[str, str], addresses: Mapping[str, str], timeout_seconds: int) -> dict[str, str]:
    """The rendered environment with these addresses, which must be all of those in the tables and no others."""
    always = REPLACED.keys() | ADDED.keys()
    assert addresses.keys() in (always, always | OF_CLOUD_RUN.keys())
    assert rendered.keys() >= REPLACED.keys()
    assert not rendered.keys() & (ADDED.keys() | OF_CLOUD_RUN.keys() | PLATFORM.keys())
    return {**rendered, **addresses, "CLOUD_RUN_TIMEOUT_SECONDS": str(timeout_seconds)}
