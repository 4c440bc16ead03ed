"""`policy coverage`: as text, Markdown, JSON, and as a page that a browser shows and filters without asking anybody."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.cli.main import main
from scc_responder.cli.policy.reports import coverage_page, coverage_report
from scc_responder.intake.threats import DETECTORS, catalogue
from scc_responder.workbench.policies.threat_coverage import Coverage, Covered, coverage
from scc_responder.workbench.policy_files.policy_file import load_policies
from tests import browser
from tests.browser import Page
from tests.kits.responder import policy, write_policies

HOSTILE = "<img src=x onerror=alert(1)>\x1b[31m\u202e|[a](javascript:b)\"'&"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Policies that leave gaps of several kinds."""
    return write_policies(
        tmp_path / "policies",
        policy("isolate_pod", "notify", name="pods", when="surface: pod"),
        policy("notify", name="some-nodes", when="{surface: node, node_pool: pool-1}").replace("\n  {", " {"),
        policy("notify", name="not-yet", when="surface: rbac", mode="disabled"),
        policy("notify", name="idle", when="category: Nothing Of This Name"),
    )


@pytest.fixture
def found(folder: Path) -> Coverage:
    """What they cover."""
    return coverage(load_policies(folder).policies)


def shown(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    """The exit status, and what is printed."""
    status = main(["policy", "coverage", *map(str, arguments)])
    return status, capsys.readouterr().out


def test_files_are_plain_arguments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What one policy covers, as a reviewer of one file asks."""
    whole = shown(capsys, folder, "--format", "json")
    assert whole == shown(capsys, "--policies", folder, "--format", "json")
    _, text = shown(capsys, folder / "pods.yaml", "--format", "json")
    answering = {policy["policy"] for threat in json.loads(text)["threats"] for policy in threat["policies"]}
    assert answering == {"pods"}


def test_text_lists_threats_gaps_and_a_sum(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Text has every threat under its detector, its policies below it, the gaps, and a sum."""
    status, text = shown(capsys, "--policies", folder)
    lines = text.splitlines()
    assert status == 0
    assert [line for line in lines if re.match(r"\w.* \(\d+ of \d+ covered\)", line)] == [
        "Container Threat Detection (41 of 47 covered)",
        "Cloud Run Threat Detection (0 of 35 covered)",
        "Event Threat Detection (12 of 50 covered)",
        "Virtual Machine Threat Detection (0 of 12 covered)",
        "Agent Platform Threat Detection (0 of 22 covered)",
    ]
    at = lines.index("  reversible   pod       reverse_shell")
    assert lines[at + 1].strip() == "pods (enforce): isolate_pod, notify"
    assert any(line.endswith("  no policy") for line in lines)
    assert "  idle" in lines
    assert lines[-1] == (
        "53 of 166 threats are covered; 74 no policy; 14 only disabled policies; 25 some targets only; "
        "policies that match no threat: 1"
    )
    assert "\x1b" not in text


def test_json_agrees_with_its_own_totals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON has every threat with what its policies come to, and agrees with its own totals."""
    _, text = shown(capsys, "--policies", folder, "--format", "json")
    told = json.loads(text)
    assert [threat["threat"] for threat in told["threats"]] == [row.name for row in catalogue()]
    assert told["totals"]["covered"] == sum(threat["gap"] is None for threat in told["threats"])
    assert told["idle_policies"] == ["idle"]
    shell = next(threat for threat in told["threats"] if threat["threat"] == "reverse_shell")
    assert shell["policies"][0]["steps"][0] == {"action": "isolate_pod", "result": "planned", "reason": "planned"}


def test_json_says_what_happens_at_each_mode(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alone and raised, under the guardrails of the folder, and by the policies that were asked for."""
    _, text = shown(capsys, "--policies", folder, "--format", "json")
    shell = next(threat for threat in json.loads(text)["threats"] if threat["threat"] == "reverse_shell")
    told = {(one["mode"], one["raised"]): one["steps"][0]["answer"] for one in shell["by_mode"]}
    assert [told[mode, False] for mode in ("dry_run", "approve", "enforce")] == ["rehearsed", "asked", "done"]
    assert told["enforce", True] == "done"


def test_markdown_has_a_row_for_each_threat(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Markdown has one row for each threat, all with the same number of cells."""
    _, text = shown(capsys, "--policies", folder, "--format", "markdown")
    rows = [line for line in text.splitlines() if line.startswith("| [")]
    assert len(rows) == len(catalogue())
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}


def test_an_output_file_leaves_stdout_empty(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--output` writes a file and prints nothing; one that cannot be written is told, and ends with 2."""
    target = tmp_path / "coverage.json"
    assert shown(capsys, "--policies", folder, "--format", "json", "--output", target) == (0, "")
    assert json.loads(target.read_text())["totals"]["threats"] == len(catalogue())
    assert main(["policy", "coverage", "--policies", str(folder), "--output", str(tmp_path / "no" / "x")]) == 2
    assert "No such file or directory" in capsys.readouterr().err


def test_strict_fails_while_a_gap_remains(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`--strict` ends with 1 while there is a gap or a policy without a threat, else with 0."""
    assert shown(capsys, "--policies", folder, "--strict")[0] == 1
    whole = write_policies(tmp_path / "whole", policy("notify", name="all", when='threat: "*"'))
    assert shown(capsys, "--policies", whole, "--strict")[0] == 0
    write_policies(whole, policy("notify", name="idle", when="category: Nothing Of This Name"))
    assert shown(capsys, "--policies", whole, "--strict")[0] == 1


def hostile(found: Coverage) -> Coverage:
    """The same, with names as an attacker would choose them."""

    def changed(threat: Covered) -> Covered:
        covers = tuple(replace(cover, policy=HOSTILE, narrowed_by=(HOSTILE,)) for cover in threat.covers)
        return replace(threat, row=replace(threat.row, category=HOSTILE), covers=covers)

    return replace(found, threats=tuple(map(changed, found.threats)), idle=(HOSTILE,))


def test_hostile_names_stay_plain_text(found: Coverage) -> None:
    """Names are text in every format: no markup, no escape of a terminal, no hidden reordering."""
    found = hostile(found)
    page, text, markdown = (
        coverage_page.html(found),
        coverage_report.coverage_text(found),
        coverage_report.coverage_markdown(found),
    )
    assert "<img" not in page
    assert "<img" not in markdown
    assert "](javascript" not in markdown
    assert "\x1b" not in page + text + markdown
    assert "\u202e" not in page + text + markdown
    assert json.loads(coverage_report.coverage_json(found))["idle_policies"] == [HOSTILE]
    assert html.escape("<img src=x onerror=alert(1)>") in page


def test_page_loads_nothing(found: Coverage) -> None:
    """The page has no address that a browser would load, and a policy that would stop it from doing so."""
    page = coverage_page.html(found)
    links = re.findall(r'<a href="([^"]*)"', page)
    assert {link.split("/")[2] for link in links} == {"cloud.google.com"}
    assert re.findall(r'(?:src|href|action)\s*=\s*"(?!https://cloud\.google\.com/)([^"]*)"', page) == ["data:,"]
    assert "url(" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page
    assert "unsafe" not in page


@pytest.fixture
def page(found: Coverage, tmp_path: Path) -> Iterator[Page]:
    """The page, shown by a browser."""
    path = tmp_path / "coverage.html"
    path.write_text(coverage_page.html(hostile_idle(found)), encoding="utf-8")
    with browser.page(tmp_path / "profile") as opened:
        opened.open(path)
        yield opened


def hostile_idle(found: Coverage) -> Coverage:
    """The same, with one more policy whose name would run if it could."""
    return replace(found, idle=(*found.idle, HOSTILE))


def rows_shown(page: Page) -> list[dict[str, str]]:
    """The data of the rows that a person sees."""
    visible = "[...document.querySelectorAll('tbody tr')].filter((row) => row.getClientRects().length)"
    found: list[dict[str, str]] = page.value(f"{visible}.map((row) => ({{...row.dataset, text: row.innerText}}))")
    return found


def choose(page: Page, name: str, value: str) -> list[dict[str, str]]:
    """Fill in one filter as a person does, and return the rows that are left."""
    field = f"document.querySelector('.filters').elements[{json.dumps(name)}]"
    page.value(f"{field}.value = {json.dumps(value)}; {field}.dispatchEvent(new Event('input', {{bubbles: true}}))")
    return rows_shown(page)


def reset(page: Page) -> list[dict[str, str]]:
    """Press the button, and wait for what it asks for."""
    page.value("document.querySelector('.filters button').click()")
    page.send("Runtime.evaluate", expression="new Promise((done) => setTimeout(done, 50))", awaitPromise=True)
    return rows_shown(page)


def test_in_a_browser(page: Page, found: Coverage) -> None:
    """A browser shows one row for each threat, filters them, meets no error, and asks nobody for anything."""
    assert len(rows_shown(page)) == len(found.threats)
    assert page.value("document.querySelector('output').value") == "166 of 166 threats"
    for detector in DETECTORS:
        assert len(choose(page, "detector", detector)) == sum(row.detector == detector for row in catalogue())
    assert {row["detector"] for row in rows_shown(page)} == {DETECTORS[-1]}
    assert choose(page, "surface", "pod") == []
    assert len(reset(page)) == len(found.threats)
    assert len(choose(page, "surface", "rbac")) == sum(row.surface == "rbac" for row in catalogue())
    assert {row["gap"] for row in choose(page, "gap", "disabled_only")} == {"disabled_only"}
    reset(page)
    assert len(choose(page, "gap", "any")) == len(found.gaps)
    assert {row["gap"] for row in choose(page, "gap", "covered")} == {"covered"}
    reset(page)
    assert [row["text"].split("\n")[1] for row in choose(page, "word", "VM_rootkit Defense")] == ["vm_rootkit"]
    assert page.value("document.querySelector('output').value") == "1 of 166 threats"
    assert page.errors == []
    assert [url for url in page.requests if not url.startswith(("file:", "data:"))] == []


def test_the_page_is_accessible(page: Page) -> None:
    """The table has a caption and headings with a scope, and every field of the form a label."""
    assert page.value("document.querySelector('table caption').innerText.length > 20")
    assert page.value("document.querySelectorAll('thead th:not([scope=col]), tbody th:not([scope=row])').length") == 0
    assert page.value("document.querySelectorAll('tbody th[scope=row]').length") == len(catalogue())
    fields = "[...document.querySelectorAll('input, select')]"
    assert page.value(f"{fields}.every((field) => field.labels.length === 1)")
    assert page.value("document.documentElement.lang") == "en"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast(page: Page, scheme: str) -> None:
    """In light and dark, every text stands out from what is behind it by at least 4.5 to 1 (WCAG 2.2, AA)."""
    page.send("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    colours: list[list[Any]] = page.value(_COLOURS)
    assert len(colours) >= 10
    assert [item for item in colours if contrast(item[1], item[2]) < 4.5] == []


_COLOURS = """
(() => {
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if (!colour.endsWith(", 0)")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = new Map();
  for (const element of document.querySelectorAll("main *")) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join("").trim();
    if (!text || !element.getClientRects().length) continue;
    const pair = [getComputedStyle(element).color, behind(element)];
    found.set(pair.join(), [text.slice(0, 40), ...pair]);
  }
  return [...found.values()];
})()
"""


def contrast(one: str, other: str) -> float:
    """The ratio of two colours' luminance, the greater first."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The relative luminance of `rgb(r, g, b)`, as WCAG defines it."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
