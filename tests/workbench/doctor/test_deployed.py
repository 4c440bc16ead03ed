"""What is known of the deployment: a settings file, and variables of the environment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scc_responder.domain.errors import SettingsError
from scc_responder.workbench.doctor.deployed import parse_environment, read_deployment


@given(
    st.dictionaries(
        st.from_regex(r"[A-Z_][A-Z0-9_]{0,9}", fullmatch=True), st.from_regex(r"[!-~]{0,20}", fullmatch=True)
    )
)
def test_a_settings_file_is_read_as_written(values: dict[str, str]) -> None:
    """A settings file gives back what was written, quoted or not."""
    plain = {name: value.strip("'\"") for name, value in values.items()}
    for quote in ("", "'", '"'):
        text = "".join(f"{name}={quote}{value}{quote}\n" for name, value in plain.items())
        assert parse_environment(f"# made\n\n{text}", "x.env") == plain


@given(st.text())
def test_settings_file_of_anything(text: str) -> None:
    """Whatever the file holds, it is read or refused with its line."""
    try:
        parse_environment(text, "x.env")
    except SettingsError as error:
        assert str(error).startswith("x.env:")  # noqa: PT017 - either end will do


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLOUD_RUN_PROJECTS", "shop-prod,*"),
        ("SUBSCRIPTION", "push"),
        ("SCOPE", "organizations/a"),
        ("TIMEOUT_SECONDS", "2m"),
        ("SCOPE", "projects/a\n"),
    ],
)
def test_an_unusable_deployment_names_its_variable(name: str, value: str) -> None:
    """What is no such thing is refused by its variable's name."""
    with pytest.raises(SettingsError, match=f"SCC_RESPONDER_{name}"):
        read_deployment({f"SCC_RESPONDER_{name}": value})


def test_projects_of_cloud_run_are_a_list() -> None:
    """As Terraform writes them; none where it names none."""
    given = {"SCC_RESPONDER_CLOUD_RUN_PROJECTS": "shop-prod,shop-test"}
    assert read_deployment(given).cloud_run_projects == ("shop-prod", "shop-test")
    assert read_deployment({}).cloud_run_projects == ()
