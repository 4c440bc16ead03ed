"""A deployment starts from its compiled policies, and never from those of other sources."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from scc_responder.domain.errors import PolicyError
from scc_responder.policy.compiled import COMPILED_FILE, load_deployed
from scc_responder.policy.decide import match
from scc_responder.workbench.policy_files.guardrails_file import NONE_GIVEN
from scc_responder.workbench.policy_files.policy_file import compile_policies, load_policies
from tests.kits.decision_contexts import context
from tests.kits.responder import ALL, SHIPPED, compiled, policy, write_policies

RAILS = """\
protected: {namespaces: [kube-system]}
exemptions: [{name: e, when: {namespace: x}, expires: 2026-12-31, owner: o, reason: r, ticket: t}]
"""
CONDITION = 'pod.namespace == "shop"'


def deployed(folder: Path, *policies: str, guardrails: str = RAILS) -> Path:
    """A folder with its compiled form."""
    return compiled(write_policies(folder, *policies, guardrails=guardrails))


def whole(name: str = "contain") -> str:
    """A policy that uses all of the language."""
    steps = [*ALL[:-2], "delete_pod {grace_period_seconds: 5}", "notify"]
    text = policy(*steps, name=name, when="{threat: reverse_shell, labels: {app: [a, w*]}, severity: LOW}")
    rest = f"condition: {CONDITION}\nlimits: [{{most: 5%, within: 1h}}]\n"
    return f"{text}    needs: [label_pod]\n    on_failure: continue\n{rest}"


def test_compiled_policies_decide_the_same(tmp_path: Path) -> None:
    """What is compiled decides as its sources do, to the last field."""
    folder = deployed(tmp_path / "p", whole(), policy("notify", name="other"))
    assert load_deployed(folder) == load_policies(folder)
    assert match(context(), load_deployed(folder).policies[0]) == "matched"


def test_the_shipped_policies_compile_unchanged(tmp_path: Path) -> None:
    """The shipped policies are the same, compiled."""
    for path in SHIPPED.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / COMPILED_FILE).write_bytes(compile_policies(tmp_path))
    assert load_deployed(tmp_path) == load_policies(SHIPPED)


def test_policies_of_teams_are_deployed(tmp_path: Path) -> None:
    """Those in subfolders decide with the others, and a file that is moved is another source."""
    folder = write_policies(tmp_path / "p", policy("notify", name="other"))
    team = folder / "team-a"
    team.mkdir()
    (team / "scope.yaml").write_text("max_mode: enforce\n")
    (team / "contain.yaml").write_text(whole())
    (folder / COMPILED_FILE).write_bytes(compile_policies(folder))
    assert load_deployed(folder) == load_policies(folder)
    (team / "contain.yaml").rename(folder / "contain.yaml")
    assert "other policies" in refused(folder)


CHANGES = [
    pytest.param("contain.yaml", whole().replace("mode: enforce", "mode: dry_run"), id="changed"),
    pytest.param("contain.yaml", whole().replace("For a test.", "For a test. "), id="by-a-blank"),
    pytest.param("added.yaml", policy("notify", name="added"), id="added"),
    pytest.param("other.yaml", None, id="removed"),
    pytest.param("guardrails.yaml", "protected: {namespaces: []}\n", id="guardrails"),
    pytest.param("guardrails.yaml", None, id="no-guardrails"),
]


def refused(folder: Path) -> str:
    """What the start of a deployment is refused with."""
    with pytest.raises(PolicyError) as caught:
        load_deployed(folder)
    assert caught.value.reason == "policies_not_compiled"
    return str(caught.value)


@pytest.mark.parametrize(("name", "content"), CHANGES)
def test_a_stale_form_is_never_used(tmp_path: Path, name: str, content: str | None) -> None:
    """Once any source is another, the start is refused until the policies are compiled again."""
    folder = deployed(tmp_path / "p", whole(), policy("notify", name="other"))
    before = load_deployed(folder)
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_text(content)
    assert f"{folder / COMPILED_FILE}: made from other policies than those beside it; make the zip anew" in refused(
        folder
    )
    assert load_deployed(compiled(folder)).digest != before.digest


@pytest.mark.parametrize("content", [b"", b"{", b"null", b'{"digest": "x"}', b"\xff"])
def test_an_unusable_form_is_refused(tmp_path: Path, content: bytes) -> None:
    """What is no compiled form stops the start, with the file's name and what to do."""
    folder = deployed(tmp_path / "p", whole())
    (folder / COMPILED_FILE).write_bytes(content)
    assert re.fullmatch(rf"{folder / COMPILED_FILE}: .+; make the zip anew with `make bundle`; .+", refused(folder))


def test_a_missing_form_is_refused(tmp_path: Path) -> None:
    """Sources alone are not read by a deployment: the error says which command compiles them."""
    told = refused(write_policies(tmp_path / "p", whole()))
    assert f"{tmp_path / 'p' / COMPILED_FILE}: No such file or directory; " in told
    assert "`scc-responder serve`" in told


def test_a_form_of_another_version_is_refused(tmp_path: Path) -> None:
    """What another version of the package has checked has to be checked again."""
    folder = deployed(tmp_path / "p", whole())
    data = msgspec.json.decode((folder / COMPILED_FILE).read_bytes())
    data["version"] = "0.0.0"
    (folder / COMPILED_FILE).write_bytes(msgspec.json.encode(data))
    assert "made by version 0.0.0, this is" in refused(folder)


def test_a_desk_reads_the_sources(tmp_path: Path) -> None:
    """A compiled form that says other than its sources fools no command: they read what people review."""
    folder = deployed(tmp_path / "p", whole())
    form = (folder / COMPILED_FILE).read_bytes()
    (folder / COMPILED_FILE).write_bytes(form.replace(b'"mode":"enforce"', b'"mode":"disabled"'))
    assert load_deployed(folder).policies[0].mode == "disabled"
    assert load_policies(folder).policies[0].mode == "enforce"


def test_missing_guardrails_compile_as_none(tmp_path: Path) -> None:
    """No guardrails are compiled as none."""
    folder = write_policies(tmp_path / "p", whole())
    (folder / "guardrails.yaml").unlink()
    (folder / COMPILED_FILE).write_bytes(compile_policies(folder))
    assert load_deployed(folder).guardrails == NONE_GIVEN


def test_the_same_bytes(tmp_path: Path) -> None:
    """The same sources are compiled to the same bytes."""
    assert compile_policies(deployed(tmp_path / "a", whole())) == compile_policies(deployed(tmp_path / "b", whole()))


def test_wrong_policies_are_not_compiled(tmp_path: Path) -> None:
    """A folder with a mistake makes no zip."""
    with pytest.raises(PolicyError):
        compile_policies(write_policies(tmp_path / "p", whole().replace("threat", "thread")))


def test_the_start_needs_neither_yaml_nor_a_check(tmp_path: Path) -> None:
    """A deployment that starts from its compiled form imports nothing that only reading and checking needs."""
    folder = deployed(tmp_path / "p", policy(*ALL))
    code = (
        "import sys; from pathlib import Path; from scc_responder.policy.compiled import load_deployed\n"
        f"assert load_deployed(Path({str(folder)!r})).policies\n"
        "heavy = {'yaml', 'difflib', 'cel_expr_python'}\n"
        "print(sorted(name for name in sys.modules if name in heavy or 'workbench' in name))"
    )
    environment = {"PYTHONPATH": "functions"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "[]\n"


def test_a_large_pack_costs_little(tmp_path: Path) -> None:
    """Fifty policies are there within 20 ms of processor time, a tenth of what reading them would take."""
    folder = deployed(tmp_path / "p", *(policy(*ALL, name=f"p{number}") for number in range(50)))
    spent = []
    for _ in range(5):
        started = time.process_time()
        load_deployed(folder)
        spent.append(time.process_time() - started)
    assert min(spent) < 0.02
