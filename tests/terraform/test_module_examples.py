"""What the pages do with an example can be done: each is applied, with Google's answers mocked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.examples import fenced
from tests.terraform.checking import EXAMPLES, OwnTests, Terraform
from tests.terraform.test_module_readme import bundle

__all__ = ["bundle"]

FILES = [one.text for one in fenced() if one.kind == "hcl" and one.where.startswith("terraform/docs/first-hour.md:")]
MORE = {
    "project": "",
    "folder": 'clusters = ["projects/shop-prod/locations/*/clusters/*"]\nfolder_id = "456"\norganization_id = "123"\n',
    "organization": 'clusters = ["projects/shop-prod/locations/*/clusters/*"]\norganization_id = "123"\n',
}
"""What the other examples require besides."""


def applied(terraform: Terraform, example: Path, bundle: str, values: str) -> OwnTests:
    """The example with these values, applied."""
    folder = terraform.copied(f"applied-{example.name}") / "examples" / example.name
    own = "\n".join(line for line in values.splitlines() if example.name == "project" or "monitored_" not in line)
    (folder / "tests").mkdir()
    (folder / "tests" / "applied.tftest.hcl").write_text(
        'mock_provider "google" {}\n\nrun "applied" {\n  variables {\n'
        f'{own}\n{MORE[example.name]}bundle_sha256 = "{bundle}"\n'
        "evidence = { locked = true, retention_days = 30 }\nlimits = { max_instances = 40 }\n"
        'ingress = "ALLOW_INTERNAL_AND_GCLB"\nmessage_retention_days = 3\n  }\n}\n'
    )
    return terraform.test(terraform.initialized(folder))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_first_hour_enables_approvals(terraform: Terraform, bundle: str, example: Path) -> None:
    """With the files of the first hour, and what the pages say to change, people may approve and are told where."""
    done = applied(terraform, example, bundle, "".join(FILES))
    assert (done.passed, done.told.strip()) == (True, "")
    outputs, state = done.outputs()["applied/applied"], done.states()["applied/applied"]

    assert len(FILES) == 2
    assert outputs["url"].startswith("https://scc-responder-")
    assert f"SCC_RESPONDER_APPROVAL_AUDIENCE={outputs['url']}\n" in outputs["settings"]
    assert outputs["identity"].keys() == {"email", "unique_id"}
    service = state["module.responder.google_cloudfunctions2_function.responder"]["service_config"][0]
    assert (service["ingress_settings"], service["max_instance_count"]) == ("ALLOW_INTERNAL_AND_GCLB", 40)
    assert (service["available_memory"], service["max_instance_request_concurrency"]) == ("512Mi", 4)
    (retention,) = state["module.responder.google_storage_bucket.evidence"]["retention_policy"]
    assert (retention["is_locked"], int(retention["retention_period"])) == (True, 30 * 86400)
    assert state["module.responder.google_pubsub_subscription.push"]["message_retention_duration"] == f"{3 * 86400}s"
    assert 'module.responder.google_project_iam_custom_role.operator["journal"]' in state
