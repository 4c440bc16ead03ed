"""The pictures of docs/console.md: `python -m tests.entrypoint.console.pictures` takes them anew."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.browser import page
from tests.docs.examples import ROOT
from tests.kits.desk_console import desk_console
from tests.kits.responder import finding_about

FOLDER = ROOT / "docs" / "pictures"
LIST, DESK, PHONE = (1040, 560), (1040, 660), (360, 720)
OTHERS = ("added_binary_executed", "launch_code_compiler_tool_in_container")
NAMES = ("console-list", "console-case", "console-plan", "console-phone")
MAX_BYTES = 120_000


def pictures(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Each picture by its name: list, case and plan on a desk, and the plan on a phone by night."""
    with desk_console(folder) as desk, page(folder / "profile") as shown:
        for pod, golden in zip(desk.cluster.objects("Pod", "shop"), OTHERS, strict=True):
            desk.deployment.respond_to(finding_about(pod, golden))
        shown.open(desk.addresses[0])
        shown.click("main button")
        yield NAMES[0], shown.picture(*LIST)
        shown.click(".cases .needs a")
        yield NAMES[1], shown.picture(*DESK)
        shown.click(".acts .go")
        yield NAMES[2], shown.picture(*DESK)
        shown.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
        yield NAMES[3], shown.picture(*PHONE)


def main() -> int:
    """Take them."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for name, picture in pictures(Path(folder)):
            (FOLDER / f"{name}.png").write_bytes(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
