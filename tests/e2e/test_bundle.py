"""The deployment zip: the same content makes the same bytes, and it holds what runs and nothing else."""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from pathlib import Path
from zipfile import ZipFile

import pytest

from scc_responder.workbench.deployment.deployed_zip import reachable_modules
from scc_responder.workbench.policy_files.policy_file import compile_policies
from scc_responder.workbench.policy_files.shipped_pack import PACK
from tests.e2e.served import ROOT, ServedFunction, bundled, unzip
from tests.findings import push_body
from tests.kits.as_shipped import policies_as_shipped
from tests.kits.google.firestore import FirestoreEmulator, Opened
from tests.kits.responder import CLUSTER, SOURCE

FIRESTORE = "firestore://example-project/(default)"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, laid out as Cloud Functions does."""
    return unzip(tmp_path_factory.mktemp("deployed"))


def test_two_builds_are_the_same_bytes(tmp_path: Path) -> None:
    """Two builds of one content are the same bytes, whenever and wherever they are made."""
    first, second = bundled(tmp_path / "one.zip"), bundled(tmp_path / "elsewhere" / "two.zip")

    assert first.read_bytes() == second.read_bytes()


def test_the_bundle_is_under_20_megabytes(tmp_path: Path) -> None:
    """Without its dependencies it is small: under 20 MB."""
    assert bundled(tmp_path / "one.zip").stat().st_size < 20_000_000


def test_the_bundle_holds_only_what_runs(tmp_path: Path) -> None:
    """Entry point, package, policies as written and compiled, and hashed requirements; no tests, no command line."""
    with ZipFile(bundled(tmp_path / "bundle.zip")) as archive:
        names = set(archive.namelist())
        requirements = archive.read("requirements.txt").decode()
        compiled = archive.read("policies/.compiled.json")

    assert {"main.py", "requirements.txt", "scc_responder/pipeline/containment.py", "policies/guardrails.yaml"} <= names
    assert [name for name in names if ".test." in name or "/cli/" in name or "/simulated/" in name] == []
    assert {name.split("/")[0] for name in names} == {"main.py", "requirements.txt", "scc_responder", "policies"}
    assert compiled == compile_policies(PACK)
    pinned = [line for line in requirements.splitlines() if "==" in line]
    assert len(pinned) > 20
    assert all(line.rstrip().endswith("\\") for line in pinned)


MOST_CODE = 25_500
"""Lines of code that `respond` can reach, docstrings and comments aside: what is deployed is what can be attacked.

Such a line reads the target, decides, changes it, writes down what was done, or tells somebody. Tools for the desk stay
out. 22,100 of them see, decide and act; the rest is for notices, owners and incidents.
"""

MOST_CONSOLE_CODE = 2_500
"""Lines of code that the page in the browser adds, which is served from the same zip by a service of its own."""


MOST_UNDO_CODE = 1_000
"""Lines of code that the undo adds, a service of its own from the same zip: the function reaches none of it."""


def lines_of_code(text: str) -> int:
    """The lines that a machine reads: neither docstrings, nor comments, nor blank lines."""
    spoken = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    silent = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    tokens = [token for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type not in silent]
    return len({line for token in tokens for line in range(token.start[0], token.end[0] + 1)} - spoken)


def modules_of(target: Path) -> dict[str, str]:
    """The Python in a zip, by name."""
    with ZipFile(bundled(target)) as archive:
        return {name: archive.read(name).decode() for name in archive.namelist() if name.endswith(".py")}


def test_the_zip_stays_small(tmp_path: Path) -> None:
    """What only a desk needs is not deployed, and a longer docstring costs nothing."""
    code = {name: lines_of_code(text) for name, text in modules_of(tmp_path / "bundle.zip").items()}
    respond = {"main.py", *reached_by("entrypoint/http_edge.py")}
    console = reached_by("entrypoint/console/deployed_console.py") - respond
    assert sum(code[name] for name in respond) <= MOST_CODE
    assert sum(code[name] for name in console) <= MOST_CONSOLE_CODE
    undo = reached_by("entrypoint/undo_edge.py") - respond
    assert sum(code[name] for name in undo) <= MOST_UNDO_CODE
    assert code.keys() == respond | console | undo
    assert not [name for name in respond if "/undo" in name or "/console/" in name]


def reached_by(entry: str) -> frozenset[str]:
    """The modules that an entry point can come to import, itself and the packages around, as the zip names them."""
    root = ROOT / "functions"
    start = root / "scc_responder" / entry
    found = {start, *reachable_modules(start, root)}
    folders = {folder / "__init__.py" for path in found for folder in path.parents if (folder / "__init__.py").exists()}
    return frozenset(path.relative_to(root).as_posix() for path in found | folders)


def test_only_code_is_counted() -> None:
    """A docstring, a comment and a blank line are no line of code; a statement over two lines is two."""
    assert (
        lines_of_code('"""A page."""\n\n# why\nx = (\n    1)\n\ndef f():\n    """Say."""\n    return """a\nb"""\n') == 5
    )


def test_the_zip_is_what_main_can_reach(tmp_path: Path) -> None:
    """Whatever a module of the zip imports is in it, and every module of it is imported or a package around one."""
    modules = modules_of(tmp_path / "bundle.zip")
    named = {"main"}
    for name, text in modules.items():
        code = re.sub(r"\nif TYPE_CHECKING:\n(?:    .*\n)+", "\n", text)
        for module, names in re.findall(r"from (scc_responder[\w.]*) import (\([^)]*\)|.*)", code):
            named |= {module, *(f"{module}.{part}" for part in re.findall(r"\w+", names))}
        named |= set(re.findall(r'"(scc_responder[\w.]+)"', code))
        if "iter_modules" in code:
            listed = (ROOT / "functions" / name).parent.rglob("[a-z]*.py")
            named |= {".".join(path.relative_to(ROOT / "functions").with_suffix("").parts) for path in listed}
    inside = {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in modules}
    assert {name for name in named if (ROOT / "functions" / f"{name.replace('.', '/')}.py").exists()} <= inside
    assert [name for name in inside - named if not any(other.startswith(f"{name}.") for other in named)] == []


def test_nothing_deployed_can_kill_its_process(tmp_path: Path) -> None:
    """Failpoints are in the tests alone."""
    modules = modules_of(tmp_path / "bundle.zip")
    assert [name for name, text in modules.items() if "SIGKILL" in text or "os.kill" in text] == []


def test_nothing_deployed_reads_yaml(tmp_path: Path) -> None:
    """Policies are compiled when the zip is made; clusters in a YAML file are for one's own machine."""
    modules = modules_of(tmp_path / "bundle.zip")
    assert [name for name, text in modules.items() if re.search(r"(import|from) yaml|strict_yaml", text)] == []


@pytest.mark.parametrize("name", ["SCC_RESPONDER_CLUSTERS_FILE", "SCC_RESPONDER_FINDINGS", "SCC_RESPONDER_STORE"])
def test_files_for_local_use_stop_the_start(deployed: Path, tmp_path: Path, name: str) -> None:
    """Away from Cloud Run, too: else the function would ask Google about clusters that the file does not name."""
    environment = {
        "SCC_RESPONDER_CLUSTERS": CLUSTER,
        "SCC_RESPONDER_SOURCES": SOURCE,
        "SCC_RESPONDER_STORE": FIRESTORE,
        name: f"sqlite:///{tmp_path}/journal.db",
    }
    function = ServedFunction(deployed, environment, log=tmp_path / "log", main=deployed / "main.py").start()
    assert function.process.wait(timeout=60) != 0
    assert f"{name} is for local use; start the function with `scc-responder serve`" in function.log.read_text()


def test_a_compiled_form_is_made_and_never_taken(tmp_path: Path) -> None:
    """A compiled form that somebody put beside the policies is not what is deployed."""
    policies = policies_as_shipped(tmp_path)
    planted = compile_policies(policies).replace(b'"mode":"dry_run"', b'"mode":"enforce"')
    (policies / ".compiled.json").write_bytes(planted)
    with ZipFile(bundled(tmp_path / "out.zip", policies=policies)) as archive:
        assert archive.read("policies/.compiled.json") == compile_policies(PACK) != planted


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        pytest.param({}, "SCC_RESPONDER_STORE", id="sqlite"),
        pytest.param({"SCC_RESPONDER_FINDINGS": "findings"}, "SCC_RESPONDER_FINDINGS", id="file-findings"),
        pytest.param(
            {"SCC_RESPONDER_CLUSTERS_FILE": "clusters.yaml"}, "SCC_RESPONDER_CLUSTERS_FILE", id="clusters.yaml"
        ),
        pytest.param(
            {"SCC_RESPONDER_STORE": FIRESTORE, "FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080"},
            "FIRESTORE_EMULATOR_HOST",
            id="firestore-emulator",
        ),
    ],
)
def test_no_start_on_cloud_run(deployed: Path, tmp_path: Path, changed: dict[str, str], named: str) -> None:
    """On Cloud Run, what would lose cases or believe local files stops the start with a clear error."""
    environment = {
        "K_SERVICE": "scc-responder",
        "SCC_RESPONDER_CLUSTERS": CLUSTER,
        "SCC_RESPONDER_SOURCES": SOURCE,
        "SCC_RESPONDER_STORE": f"sqlite:///{tmp_path}/journal.db",
        **changed,
    }
    function = ServedFunction(deployed, environment, log=tmp_path / "log", main=deployed / "main.py").start()

    code = function.process.wait(timeout=60)

    assert code != 0
    assert named in function.log.read_text()


def test_start_on_cloud_run(deployed: Path, tmp_path: Path) -> None:
    """With Firestore the function starts on Cloud Run; while Firestore cannot be reached, every message comes again."""
    environment = {
        "K_SERVICE": "scc-responder",
        "SCC_RESPONDER_CLUSTERS": CLUSTER,
        "SCC_RESPONDER_SOURCES": SOURCE,
        "SCC_RESPONDER_STORE": FIRESTORE,
        "SCC_RESPONDER_EVIDENCE": "gs://example-bucket/evidence",
        "SCC_RESPONDER_OUTCOME_TOPIC": "projects/example-project/topics/outcomes",
        "GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "none.json"),
    }
    with ServedFunction(deployed, environment, log=tmp_path / "log") as function:
        status, answer = function.post(push_body(b"no finding"))

    assert (status, answer) == (503, b"")
    assert "store_unavailable" in (tmp_path / "log").read_text()


def test_a_message_is_settled_with_firestore(deployed: Path, tmp_path: Path, firestore: FirestoreEmulator) -> None:
    """The deployed zip keeps what it is told in Firestore."""
    address = firestore.address()
    environment = {
        "SCC_RESPONDER_CLUSTERS": CLUSTER,
        "SCC_RESPONDER_SOURCES": SOURCE,
        "SCC_RESPONDER_STORE": address,
        "FIRESTORE_EMULATOR_HOST": firestore.host,
    }
    with ServedFunction(deployed, environment, log=tmp_path / "log") as function:
        statuses = [function.post(push_body(b"no finding"))[0] for _ in range(2)]

    opened = Opened(firestore.host, address)
    (entry,) = opened().scan("rejected/").entries
    opened.close()
    assert statuses == [204, 204]
    assert json.loads(entry.value)["count"] == 2
