"""docs/notices.md: each receiver is listed, and the secret that the page shows for it is one."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from scc_responder.adapters import notifiers
from scc_responder.adapters.notifiers import open_receiver
from scc_responder.domain.errors import SettingsError

PAGE = (Path(__file__).parents[2] / "docs" / "notices.md").read_text()
SECRETS = dict(
    re.findall(r"^`(\w+)`: [^`]*?(?:`[^`]+`[^`]*?)*^```(?:json)?\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
RECEIVERS = sorted(
    module.name
    for module in iter_modules(notifiers.__path__)
    if hasattr(import_module(f"{notifiers.__name__}.{module.name}"), "receiver")
)


def test_the_page_lists_each_receiver() -> None:
    """In its table, and with a secret."""
    listed = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert sorted(listed) == sorted(SECRETS) == RECEIVERS


@pytest.mark.parametrize("name", RECEIVERS)
def test_the_secret_of_the_page_opens_the_receiver(name: str) -> None:
    """Nothing is connected for that; half of the secret opens nothing."""
    assert open_receiver(name, SECRETS[name])
    with pytest.raises(SettingsError, match=f"the secret of the receiver {name} is not"):
        open_receiver(name, SECRETS[name][: len(SECRETS[name]) // 4])
