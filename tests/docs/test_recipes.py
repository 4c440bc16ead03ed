"""docs/architecture.md: each recipe is followed in a copy of the repository, as a newcomer would, and works there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.architecture import PAGE
from tests.docs.examples import ROOT
from tests.kits.as_shipped import policies_as_shipped

COPIED = ("docs", "functions", "policies", "terraform", "tests", "pyproject.toml")
SECTIONS = dict(re.findall(r"^## (Add [^\n]*)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL))
_STEP = re.compile(r"`([\w/.-]+\.\w+)`(?:(?!^\d+\. ).)*?\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def files(recipe: str) -> dict[str, str]:
    """The files that a recipe shows: each block is the text of the first file that its step names."""
    return dict(_STEP.findall(SECTIONS[recipe]))


class Copy:
    """A copy of the repository, in which a recipe is followed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source, target = ROOT / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if name == "policies":
                policies_as_shipped(folder)
            elif source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", ".terraform"))
            else:
                shutil.copy2(source, target)

    def write(self, name: str, text: str) -> None:
        """Make a file that is not there yet."""
        assert not (self.folder / name).exists()
        (self.folder / name).write_text(text)

    def run(self, line: str, status: int = 0) -> str:
        """Run a command of the page here, and return what it prints."""
        words = line.split()
        programs = {"scc-responder": ["-m", "scc_responder.cli.main"], "pytest": ["-m", "pytest"], "python": []}
        done = subprocess.run(
            [sys.executable, *programs[words[0]], *words[1:]],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": f"{self.folder / 'functions'}{os.pathsep}{self.folder}"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    def follow(self, recipe: str) -> None:
        """Run each of the recipe's commands that writes or checks something."""
        for line in re.findall(r"`((?:scc-responder|python -m) [^`]+)`", SECTIONS[recipe]):
            if "findings.json" not in line:
                self.run(line)

    def tests(self, *paths: str) -> None:
        """Run tests here."""
        self.run(f"pytest -q -p no:cacheprovider {' '.join(paths)}")


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    """A fresh copy."""
    return Copy(tmp_path / "copy")


@pytest.mark.parametrize("recipe", SECTIONS)
def test_a_recipe_takes_ten_lines(recipe: str) -> None:
    """What is to be read of a recipe, its files left out, is at most ten lines in numbered steps."""
    prose = re.sub(r"^```.*?^```$", "", SECTIONS[recipe], flags=re.MULTILINE | re.DOTALL)
    lines = [line for line in prose.splitlines() if line]
    numbers = [int(line.partition(".")[0]) for line in lines if line[0].isdigit()]
    assert len(lines) <= 10
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_recipes_are_these() -> None:
    """Each recipe is tried by a test of this file, and shows this many files."""
    assert {recipe: len(files(recipe)) for recipe in SECTIONS} == {
        "Add an action": 2,
        "Add a kind of change": 1,
        "Add an evidence source": 1,
        "Add a notifier": 1,
        "Add a receiver": 2,
        "Add a threat": 1,
        "Add a policy": 2,
    }


@pytest.mark.parametrize("recipe", SECTIONS)
def test_python_of_a_recipe_passes_lint(recipe: str) -> None:
    """What a contributor copies passes the checks that `make check` runs on it."""
    for name, text in files(recipe).items():
        if name.endswith(".py"):
            asked = [sys.executable, "-m", "ruff", "check", "--no-cache", "--stdin-filename", name, "-"]
            done = subprocess.run(asked, cwd=ROOT, input=text, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("recipe", SECTIONS)
def test_files_that_a_recipe_names_exist(recipe: str) -> None:
    """What a recipe does not make is there already."""
    named = re.findall(r"(?<=[` =])((?:functions|policies|terraform|tests)/[\w/.-]*\w)", SECTIONS[recipe])
    assert [name for name in named if name not in files(recipe) and not (ROOT / name).exists()] == []


def test_an_action_is_one_file_and_its_test(copy: Copy) -> None:
    """With its file alone an action is found, proved on a cluster, in the schema, and in the permissions."""
    for name, text in files("Add an action").items():
        copy.write(name, text)
    copy.follow("Add an action")
    copy.tests("tests/test_conventions.py", "tests/actions/test_keep_pod.py", "tests/docs/test_reference.py")

    assert '"keep_pod"' in (copy.folder / "policies" / ".schema" / "policy.json").read_text()
    assert "### keep_pod" in (copy.folder / "policies" / "README.md").read_text()
    policy = copy.folder / "policies" / "mark-added-library.yaml"
    policy.write_text(policy.read_text().replace("- action: annotate_pod", "- action: keep_pod"))
    assert "keep_pod (mark-added-library)" in " ".join(copy.run("scc-responder permissions").split())


def test_an_action_without_its_test_is_noticed(copy: Copy) -> None:
    """The reason that no test expects is named: the recipe's second file is needed."""
    name, text = next(iter(files("Add an action").items()))
    copy.write(name, text)
    told = copy.run("pytest -q -p no:cacheprovider tests/test_conventions.py -k keep_pod", status=1)
    assert re.findall(r"reason=Reason\.(\w+)", text)[0] in told


EXPIRE = '''"""A deadline on the simulated cluster."""

from scc_responder.domain.changes.expire_pod import ExpirePod
from tests.kits.one_change import one_cluster, pod_target, step_run


def test_a_pod_with_a_deadline():
    """One bound request, and the pod is read back."""
    with one_cluster() as (cluster, means):
        target = pod_target(cluster)
        change = ExpirePod(**target)
        other = ExpirePod(**{**target, "uid": "another"}).carry_out(step_run(), means)
        results = [change.carry_out(step_run(dry_run=dry_run), means) for dry_run in (True, False, False)]
        (pod,) = cluster.objects("Pod", "shop")
    assert other.reason == "target_replaced"
    assert [result.reason for result in results] == ["would_patch", "patched", "already"]
    assert pod["spec"]["activeDeadlineSeconds"] == 1
'''


def test_a_kind_of_change_is_one_file(copy: Copy) -> None:
    """With its file and an example, a kind of change is found, stored and restored, and sends one bound request."""
    ((name, text),) = files("Add a kind of change").items()
    copy.write(name, text)
    path = copy.folder / "tests" / "domain" / "changes" / "test_changes.py"
    (example,) = re.findall(r'`("expire_pod": [^`]+,)`', SECTIONS["Add a kind of change"])
    body = path.read_text()
    marker = '    "notify": PublishDecision(),\n'
    assert marker in body
    importing = "from scc_responder.domain.changes.expire_pod import ExpirePod\n"
    path.write_text(
        body.replace(marker, f"{marker}    {example}\n").replace("import pytest\n", f"import pytest\n{importing}")
    )
    copy.write("tests/domain/changes/test_expire_pod.py", EXPIRE)
    copy.tests("tests/domain/changes/test_changes.py", "tests/domain/changes/test_expire_pod.py")


def test_a_kind_of_change_without_an_example_is_noticed(copy: Copy) -> None:
    """The tests name the kind that has no example."""
    ((name, text),) = files("Add a kind of change").items()
    copy.write(name, text)
    told = copy.run("pytest -q -p no:cacheprovider tests/domain/changes/test_changes.py", status=1)
    assert "expire_pod" in told


def test_an_evidence_source_is_one_file(copy: Copy) -> None:
    """With its file alone a source is found, read in a capture, and its permission is asked for."""
    ((name, text),) = files("Add an evidence source").items()
    copy.write(name, text)
    copy.follow("Add an evidence source")
    copy.tests("tests/execute/evidence/test_evidence.py", "tests/test_conventions.py", "tests/docs/test_reference.py")

    needed = " ".join(copy.run("scc-responder permissions").split())
    (asked_by,) = re.findall(r"networkpolicies\.networking\.k8s\.io: list (.*?) [\w.]+: \w+ ", needed)
    assert "capture_evidence (" in asked_by


WEBHOOK = '''"""A webhook on this machine."""

import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from scc_responder.adapters.notifiers import check_notifiers, open_notifiers
from scc_responder.domain.errors import ApiError
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from tests.kits.settings import local_settings

NOTICE = Notice(kind=NoticeKind.BREAKER, severity=NoticeSeverity.ERROR, reason="storm_breaker", facts={"text": "x"})
posted = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200 if self.path == "/hook" else 403)
        self.send_header("x-request-id", "r1")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


def at(url):
    return open_notifiers(local_settings(NOTIFIERS="webhook", WEBHOOK_URL=url), print)


def test_a_notice_is_posted_once():
    """Found by its name, made from its settings, and an error says what is wrong."""
    check_notifiers(["webhook"])
    assert open_notifiers(local_settings(NOTIFIERS="webhook"), print) is None
    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        assert at(f"{url}/hook").tell(NOTICE) == "r1"
        with pytest.raises(ApiError, match="refused the message"):
            at(f"{url}/other").tell(NOTICE)
        server.shutdown()
    assert posted[0] == {"text": "ERROR: breaker storm_breaker (case none)"}
    with pytest.raises(ApiError, match="NewConnectionError"):
        at(f"{url}/hook").tell(NOTICE)
'''


def test_a_notifier_is_one_file(copy: Copy) -> None:
    """With its file alone a notifier is found by the name in settings, and posts each notice."""
    ((name, text),) = files("Add a notifier").items()
    copy.write(name, text)
    copy.write("tests/adapters/notifiers/test_webhook.py", WEBHOOK)
    copy.tests("tests/adapters/notifiers/test_webhook.py", "tests/adapters/notifiers/test_notifiers.py")


def test_a_receiver_is_one_file_and_its_test(copy: Copy) -> None:
    """With its file alone a receiver is found by its name, and a thousand hostile notices are text in it."""
    for name, text in files("Add a receiver").items():
        copy.write(name, text)
    copy.tests("tests/adapters/notifiers/test_mattermost.py", "tests/adapters/notifiers/test_notifiers.py")


def test_a_receiver_that_no_route_can_name_is_noticed(copy: Copy) -> None:
    """With its line among the kinds of receivers, routes take it."""
    (name, text), *_ = files("Add a receiver").items()
    copy.write(name, text)
    tried = "pytest -q -p no:cacheprovider tests/workbench/policy_files/test_routes_file.py -k each_receiver"
    assert "mattermost" in copy.run(tried, status=1)
    kinds, last = copy.folder / "functions/scc_responder/policy/routes.py", '    APPRISE = "apprise"\n'
    kinds.write_text(kinds.read_text().replace(last, f'{last}    MATTERMOST = "mattermost"\n'))
    copy.run(tried)


def test_a_receiver_without_its_page_is_noticed(copy: Copy) -> None:
    """The page of notices shows what each receiver's secret looks like."""
    (name, text), *_ = files("Add a receiver").items()
    copy.write(name, text)
    assert "mattermost" in copy.run("pytest -q -p no:cacheprovider tests/docs/test_notices_page.py", status=1)


def test_a_threat_is_one_row_and_its_sample(copy: Copy) -> None:
    """With its row, sample and policy a threat is listed, answered, and has a golden."""
    ((name, text),) = files("Add a threat").items()
    row = json.loads(text)
    rows = json.loads((copy.folder / name).read_text())
    last = max(number for number, other in enumerate(rows) if other["detector"] == row["detector"])
    (copy.folder / name).write_text(json.dumps([*rows[: last + 1], row, *rows[last + 1 :]]))
    samples = copy.folder / "tests" / "findings" / "samples.yaml"
    (sample,) = re.findall(rf"`({row['name']}: [^`]+)`", SECTIONS["Add a threat"])
    samples.write_text(f"{samples.read_text()}{sample}\n")
    policy = copy.folder / "policies" / "isolate-key-theft.yaml"
    copy.run("scc-responder policy coverage --strict", status=1)
    one = "threat: gpg_key_reconnaissance"
    policy.write_text(policy.read_text().replace(one, f"threat: [gpg_key_reconnaissance, {row['name']}]"))
    copy.follow("Add a threat")
    copy.tests("tests/notifications", "tests/test_pack.py", "-k", "wallet_file_read")

    golden = copy.folder / "tests" / "findings" / "catalogue" / row["detector"] / f"{row['name']}.json"
    assert "wallet.dat" in golden.read_text()
    assert row["category"] in copy.run("scc-responder threats")
    assert f"`{row['name']}`" in (copy.folder / "policies" / "THREATS.md").read_text()


def test_a_policy_is_one_file_and_its_cases(copy: Copy) -> None:
    """With its two files a policy is found, linted and tested, and listed in the reference."""
    for name, text in files("Add a policy").items():
        copy.write(name, text)
    copy.follow("Add a policy")
    copy.tests("tests/docs/test_reference.py", "tests/test_policies.py")

    assert "mark-shells-in-shop" in (copy.folder / "policies" / "README.md").read_text()
    assert "mark-shells-in-shop" in copy.run("scc-responder policy coverage")
