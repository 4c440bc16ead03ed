"""The console's service, as its page has it made: nobody reaches it past IAP, and it is what the function believes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.counts import Cases
from tests.docs.examples import fenced
from tests.terraform import hcl
from tests.terraform.checking import MODULE, OwnTests, State, Terraform
from tests.terraform.promises import function, of_type, only
from tests.terraform.test_module_readme import DIGEST, bundle

__all__ = ["bundle"]

CONSOLE = MODULE / "console"
(PAGE,) = [one.text for one in fenced() if one.kind == "hcl" and one.where.startswith("terraform/console/README.md:")]
EMAIL = "scc-responder-console@example-project.iam.gserviceaccount.com"
UNDO_EMAIL = "scc-responder-undo@example-project.iam.gserviceaccount.com"
UNDOING = PAGE.replace("console    = { members", "console    = { undo = true, members")
"""The same, with a service that takes cases back."""


PROVIDERS = """
terraform {
  required_providers {
    google = {
      source = "hashicorp/google"
    }
    google-beta = {
      source = "hashicorp/google-beta"
    }
  }
}
"""
"""What a configuration of one's own has too."""
QUIET = (
    '  source = "../.."\n',
    (
        '  source = "../.."\n  alert_channels = ["projects/example-project/notificationChannels/1"]\n'
        "  evidence = { locked = true }\n"
    ),
)
"""What checks would warn of, and a test takes for a failure."""
MOCKS = f"""
mock_provider "google" {{
  mock_data "google_project" {{
    defaults = {{
      number = "123456789012"
    }}
  }}
  override_resource {{
    target = module.responder.google_service_account.console
    values = {{
      email = "{EMAIL}"
    }}
  }}
  override_resource {{
    target = module.responder.google_service_account.undo
    values = {{
      email = "{UNDO_EMAIL}"
    }}
  }}
}}

mock_provider "google-beta" {{}}

run "own" {{}}
"""


def composed(terraform: Terraform, name: str, text: str, spoil: tuple[str, str] = ("", "")) -> OwnTests:
    """This configuration, applied with Google's answers mocked; `spoil` changes a line of the console's module."""
    copy = terraform.copied(name)
    folder, spoilt = copy / "examples" / "own", copy / "console" / "main.tf"
    assert spoil[0] in spoilt.read_text()
    spoilt.write_text(spoilt.read_text().replace(*spoil, 1))
    (folder / "tests").mkdir(parents=True)
    zip_ = terraform.folder / "dist" / "scc-responder.zip"
    (folder / "main.tf").write_text(PROVIDERS + text.replace("dist/scc-responder.zip", str(zip_)).replace(*QUIET, 1))
    (folder / "tests" / "own.tftest.hcl").write_text(MOCKS)
    return terraform.test(terraform.initialized(folder))


@pytest.fixture(scope="module")
def made(terraform: Terraform, bundle: str) -> OwnTests:
    """What the page's configuration makes."""
    done = composed(terraform, "console-page", PAGE.replace(DIGEST, bundle))
    assert done.passed, done.told
    return done


def part_of(done: OwnTests, name: str) -> State:
    """The resources of one of both modules, by their addresses in it."""
    prefix = f"module.{name}."
    (state,) = done.states().values()
    return {address.removeprefix(prefix): values for address, values in state.items() if address.startswith(prefix)}


@pytest.fixture(scope="module")
def console(made: OwnTests) -> State:
    """The console's resources."""
    return part_of(made, "console")


@pytest.fixture(scope="module")
def responder(made: OwnTests) -> State:
    """The responder's resources."""
    return part_of(made, "responder")


def test_iap_stands_before_it(console: State) -> None:
    """IAP stands before the service, and its agent alone may call it: whoever opens it was let in by IAP."""
    service = only(console, "google_cloud_run_v2_service")
    callers = [(one["member"], one["role"]) for one in of_type(console, "google_cloud_run_v2_service_iam_member")]
    visitors = [(one["member"], one["role"]) for one in of_type(console, "google_iap_web_cloud_run_service_iam_member")]

    assert service["iap_enabled"] is True
    assert not service["invoker_iam_disabled"]
    agent = "serviceAccount:service-123456789012@gcp-sa-iap.iam.gserviceaccount.com"
    assert callers == [(agent, "roles/run.invoker")]
    assert visitors == [("group:secops@example.com", "roles/iap.httpsResourceAccessor")]


def test_it_is_the_tested_zip_with_another_entry_point(console: State, responder: State) -> None:
    """It is built from the function's own zip, by the function's builder, with the entry point `console`."""
    (build,) = only(console, "google_cloud_run_v2_service")["build_config"]
    _, of_function = function(responder)
    source = of_function["source"][0]["storage_source"][0]

    assert build["source_location"] == f"gs://{source['bucket']}/{source['object']}"
    assert build["function_target"] == "console"
    assert build["service_account"] == of_function["service_account"]
    assert build["base_image"].endswith(f"/runtimes/{of_function['runtime']}")


def test_it_runs_as_itself_and_costs_nothing_unseen(console: State, responder: State) -> None:
    """It runs as the console's identity, which the function knows, and without a visitor there is no instance."""
    (template,) = only(console, "google_cloud_run_v2_service")["template"]
    told = function(responder)[0]["environment_variables"]

    assert template["service_account"] == told["SCC_RESPONDER_CONSOLE"] == EMAIL
    assert (template["scaling"][0]["min_instance_count"], template["scaling"][0]["max_instance_count"]) == (0, 1)
    (network,) = template["vpc_access"]
    assert network["egress"] == "ALL_TRAFFIC"
    assert network["network_interfaces"][0]["subnetwork"].endswith("/subnetworks/serverless")


def console_environment(console: State) -> dict[str, str]:
    """The console's environment."""
    (template,) = only(console, "google_cloud_run_v2_service")["template"]
    return {one["name"]: one["value"] for one in template["containers"][0]["env"]}


def test_console_and_function_agree(console: State, responder: State, made: OwnTests) -> None:
    """IAP's audience is the service's own name, for both; the store is the same, and so is the function's address."""
    given, told = console_environment(console), function(responder)[0]["environment_variables"]
    service = only(console, "google_cloud_run_v2_service")

    audience = f"/projects/123456789012/locations/{service['location']}/services/{service['name']}"
    assert given["SCC_RESPONDER_IAP_AUDIENCE"] == told["SCC_RESPONDER_IAP_AUDIENCE"] == audience
    assert given["SCC_RESPONDER_STORE"] == told["SCC_RESPONDER_STORE"]
    assert given["SCC_RESPONDER_FUNCTION_URL"] == told["SCC_RESPONDER_APPROVAL_AUDIENCE"]
    (outputs,) = made.outputs().values()
    assert outputs["console"] == given["SCC_RESPONDER_CONSOLE_URL"] == told["SCC_RESPONDER_CONSOLE_URL"]
    assert outputs["console"] == f"https://{service['name']}-123456789012.{service['location']}.run.app"


def test_without_a_console_nothing_is_made(terraform: Terraform, bundle: str) -> None:
    """The same configuration without `console` makes no service, and says no address."""
    without = re.sub(r"\n  console    = \{.*\n", "\n", PAGE.replace(DIGEST, bundle))
    assert without.count("console") < PAGE.count("console")
    done = composed(terraform, "console-none", without)
    (state,) = done.states().values()

    assert done.passed, done.told
    assert [address for address in state if address.startswith("module.console")] == []


def test_the_rule_of_the_console_is_broken(terraform: Terraform) -> None:
    """An ingress that Cloud Run does not know is answered by a sentence that names it."""
    folder = terraform.copied("console-rule") / "console"
    (folder / "tests").mkdir()
    (folder / "tests" / "own.tftest.hcl").write_text(
        'mock_provider "google-beta" {}\n\nrun "own" {\n  command = plan\n  variables {\n'
        '    responder = null\n    ingress = "ALLOW_ALL"\n  }\n}\n'
    )
    done = terraform.test(terraform.initialized(folder))
    assert not done.passed
    assert "The ingress must be INGRESS_TRAFFIC_ALL" in done.told


def test_its_variables_are_described_and_its_rules_tried() -> None:
    """Variables and outputs of the console's module stand in order, each described."""
    for name, kind in (("variables.tf", "variable"), ("outputs.tf", "output")):
        found = hcl.blocks((CONSOLE / name).read_text(), kind)
        assert list(found) == sorted(found)
        assert [one for one, block in found.items() if not hcl.argument(block, "description")] == []


@pytest.fixture(scope="module")
def undoing(terraform: Terraform, bundle: str) -> OwnTests:
    """What the page's configuration makes where cases are taken back."""
    assert UNDOING != PAGE
    done = composed(terraform, "console-undo", UNDOING.replace(DIGEST, bundle))
    assert done.passed, done.told
    return done


def test_the_undo_is_a_service_that_the_console_alone_calls(undoing: OwnTests) -> None:
    """It is the tested zip with the third entry point, runs as the identity of undo, and answers to its own address."""
    console, responder = part_of(undoing, "console"), part_of(undoing, "responder")
    service, pages = (console[f"google_cloud_run_v2_service.{name}[0]"] for name in ("undo", "console"))
    caller = console["google_cloud_run_v2_service_iam_member.undo[0]"]
    (build,), (template,) = service["build_config"], service["template"]
    told = {one["name"]: one["value"] for one in template["containers"][0]["env"]}
    shown = {one["name"]: one["value"] for one in pages["template"][0]["containers"][0]["env"]}
    here = f"https://{service['name']}-123456789012.{service['location']}.run.app"

    assert (build["function_target"], template["service_account"]) == ("undo", UNDO_EMAIL)
    assert build["source_location"] == pages["build_config"][0]["source_location"]
    assert (caller["member"], caller["role"], caller["name"]) == (
        f"serviceAccount:{EMAIL}",
        "roles/run.invoker",
        service["name"],
    )
    assert (service["ingress"], template["scaling"][0]["min_instance_count"]) == ("INGRESS_TRAFFIC_INTERNAL_ONLY", 0)
    assert told["SCC_RESPONDER_APPROVAL_AUDIENCE"] == shown["SCC_RESPONDER_UNDO_URL"] == here
    assert told["SCC_RESPONDER_CONSOLE"] == EMAIL
    assert told["SCC_RESPONDER_IAP_AUDIENCE"] == shown["SCC_RESPONDER_IAP_AUDIENCE"]
    assert not told.keys() & {"SCC_RESPONDER_RUN_WRITER", "SCC_RESPONDER_SWEEPER", "SCC_RESPONDER_NOTICE_SECRETS"}
    assert UNDO_EMAIL not in function(responder)[0]["environment_variables"].values()


def test_without_undo_there_is_no_such_service(console: State) -> None:
    """It is off until it is asked for."""
    assert [address for address in console if ".undo" in address] == []
    assert "SCC_RESPONDER_UNDO_URL" not in console_environment(console)


SPOILT_UNDO = [
    ('function_target          = "undo"', 'function_target          = "respond"'),
    (
        "service_account                  = var.responder.undo.identity",
        "service_account                  = var.responder.identity",
    ),
    ('member   = "serviceAccount:${var.responder.identity}"', 'member   = "allAuthenticatedUsers"'),
    ('? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_INTERNAL_ONLY"', '? "INGRESS_TRAFFIC_ALL" : "INGRESS_TRAFFIC_ALL"'),
    ("for_each = var.responder.undo.environment", "for_each = var.responder.environment"),
    ("name                = var.responder.undo.name", 'name                = "other"'),
]


SPOILT_UNDO_NOW = Cases("spoilt lines of the undo's module", SPOILT_UNDO[::4], SPOILT_UNDO)


@pytest.mark.parametrize(("right", "wrong"), SPOILT_UNDO_NOW.chosen, ids=lambda words: words.split()[0])
def test_each_spoilt_line_of_undo_is_noticed(
    terraform: Terraform, bundle: str, right: str, wrong: str, tmp_path: Path
) -> None:
    """As with the console's lines."""
    done = composed(terraform, f"console-{tmp_path.name}", UNDOING.replace(DIGEST, bundle), spoil=(right, wrong))
    assert done.passed, done.told
    assert not holds(test_the_undo_is_a_service_that_the_console_alone_calls, {"undoing": done})


SPOILT = [
    ("iap_enabled         = true", "iap_enabled         = false"),
    ("  member   = local._iap # nobody else calls it: who opens it comes by IAP", '  member   = "allUsers"'),
    ('"roles/run.invoker"', '"roles/run.admin"'),
    ("  member                 = each.value", '  member                 = "allAuthenticatedUsers"'),
    ('function_target          = "console"', 'function_target          = "respond"'),
    ("source_location          = var.responder.source", 'source_location          = "gs://other/zip"'),
    (
        "service_account                  = var.responder.identity",
        'service_account                  = "run@example.com"',
    ),
    ('egress = "ALL_TRAFFIC"', 'egress = "PRIVATE_RANGES_ONLY"'),
    ("name                = var.responder.name", 'name                = "other"'),
    ("max_instance_count = 1 #", "max_instance_count = 9 #"),
]
CHECKS = (
    test_iap_stands_before_it,
    test_it_is_the_tested_zip_with_another_entry_point,
    test_it_runs_as_itself_and_costs_nothing_unseen,
    test_console_and_function_agree,
)


SPOILT_NOW = Cases("spoilt lines of the console's module", SPOILT[::4], SPOILT)


@pytest.mark.parametrize(("right", "wrong"), SPOILT_NOW.chosen, ids=lambda words: words.split()[0])
def test_each_spoilt_line_is_noticed(terraform: Terraform, bundle: str, right: str, wrong: str, tmp_path: Path) -> None:
    """A line on which safety hangs, changed to what Terraform takes as well, is noticed by one of the checks here."""
    name = f"console-{tmp_path.name}"
    done = composed(terraform, name, PAGE.replace(DIGEST, bundle), spoil=(right, wrong))
    assert done.passed, done.told
    given = {"console": part_of(done, "console"), "responder": part_of(done, "responder"), "made": done}
    assert [check for check in CHECKS if not holds(check, given)]


def holds(check: Callable[..., None], given: Mapping[str, object]) -> bool:
    """Whether a check of this page holds."""
    try:
        check(**{name: given[name] for name in inspect.signature(check).parameters})
    except (AssertionError, LookupError):
        return False
    return True
