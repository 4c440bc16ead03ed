"""The parts are joined as settings say, each when it is first asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from scc_responder.adapters.google.access.impersonation import ImpersonatedToken
from scc_responder.adapters.google.cloud_logging import CloudLogging
from scc_responder.adapters.google.cloud_monitoring import CloudMonitoring
from scc_responder.adapters.google.cloud_run.run_admin import CloudRunAdmin
from scc_responder.adapters.google.essential_contacts import EssentialContacts
from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.adapters.google.gke.gke_clusters import GkeClusters
from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.adapters.google.storage.evidence_store import EvidenceStore
from scc_responder.adapters.notifiers.outcome_topic import OutcomeTopic
from scc_responder.domain.errors import ApiError, SettingsError, StoreUnavailable
from scc_responder.domain.notices.notice import Notice, NoticeKind, NoticeSeverity
from scc_responder.domain.reasons import Reason
from scc_responder.pipeline.notices.route_lanes import RouteLanes
from scc_responder.pipeline.notices.route_notifier import RouteNotifier
from scc_responder.pipeline.services import Services, read_token
from scc_responder.policy.policy_set import PolicySet
from scc_responder.policy.routes import ReceiverKind, Route, Routes
from scc_responder.workbench.policy_files.guardrails_file import NONE_GIVEN
from tests.kits.notices import routes
from tests.kits.settings import local_settings

NOTICE = Notice(kind=NoticeKind.EXPIRED, severity=NoticeSeverity.WARNING, case="0a", facts={})


class Telling:
    """`ports.Notifier` that keeps what it is told, or raises this."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.notices: list[Notice] = []

    def tell(self, notice: Notice) -> str:
        self.notices.append(notice)
        if self.error:
            raise self.error
        return "1"


def services(notifier: Any = None, **variables: str) -> Services:
    """Services of these settings, whose log lines are kept."""
    made = Services(local_settings(**variables))
    made.policies = PolicySet(policies=(), guardrails=NONE_GIVEN, digest="")
    made.lines = []  # type: ignore[attr-defined]
    made.tell = lambda line: made.lines.append(json.loads(line))  # type: ignore[attr-defined]
    if notifier:
        made.notifier = notifier
    return made


def test_each_part_is_what_settings_name(tmp_path: Path) -> None:
    """Google's APIs, and a store by its address; nobody is told where no topic is set."""
    made = services(STORE="firestore://example-project/(default)", EVIDENCE=f"file://{tmp_path}/evidence")
    assert isinstance(made.store, FirestoreStore)
    assert isinstance(made.clusters, GkeClusters)
    assert isinstance(made.findings, SecurityCenter)
    assert isinstance(made.evidence, EvidenceStore)
    assert (made.notifier, services().evidence) == (None, None)
    assert isinstance(services(OUTCOME_TOPIC="projects/p/topics/t").notifier, OutcomeTopic)
    made.store.close()


def test_cloud_run_is_asked_where_google_is() -> None:
    """Beside a stand-in of Security Command Center nobody is asked, but a stand-in of Cloud Run's own."""
    assert isinstance(services().run, CloudRunAdmin)
    assert services(SCC_ENDPOINT="127.0.0.1:1").run is None
    assert isinstance(services(SCC_ENDPOINT="127.0.0.1:1", RUN_ENDPOINT="127.0.0.1:2").run, CloudRunAdmin)


def test_cloud_run_is_changed_as_another_than_reads_it() -> None:
    """Whom settings name; a stand-in of Cloud Run is given no token of Google's."""
    writer = "writer@example-project.iam.gserviceaccount.com"
    assert services().run_writer is None
    assert isinstance(services(RUN_WRITER=writer).run_writer, ImpersonatedToken)
    assert services(RUN_WRITER=writer, RUN_ENDPOINT="127.0.0.1:1").run_writer is None
    standing_in = {"RUN_ENDPOINT": "127.0.0.1:1", "IAM_CREDENTIALS_ENDPOINT": "127.0.0.1:2"}
    assert isinstance(services(RUN_WRITER=writer, **standing_in).run_writer, ImpersonatedToken)


def test_cloud_logging_is_asked_only_where_settings_say_that_it_may_be() -> None:
    """Elsewhere each finding of an attack would send requests that are refused."""
    assert services().logs is None
    assert services(CLOUD_LOGGING="false").logs is None
    assert isinstance(services(CLOUD_LOGGING="true").logs, CloudLogging)
    assert isinstance(services(LOGGING_ENDPOINT="127.0.0.1:1").logs, CloudLogging)


def test_contacts_are_asked_only_where_settings_and_a_route_say_so() -> None:
    """Without the permission each notice would send a request that is refused."""
    mail = Route(receiver=ReceiverKind.EMAIL, address="mail", to_contacts=True)
    for given, tells, reads in (("true", True, True), ("false", True, False), ("true", False, False)):
        made = services(ESSENTIAL_CONTACTS=given)
        given_routes = Routes(routes={"ops": replace(mail, to_contacts=tells)}, fallback=("ops",))
        made.policies = replace(made.policies, routes=given_routes)
        assert isinstance(made.contacts, EssentialContacts) is reads


def test_cloud_monitoring_is_asked_only_where_settings_say_that_it_may_be() -> None:
    """Elsewhere each finding of Cloud Run would send requests that are refused."""
    assert services().metrics is None
    assert services(CLOUD_MONITORING="false").metrics is None
    assert isinstance(services(CLOUD_MONITORING="true").metrics, CloudMonitoring)
    assert isinstance(services(MONITORING_ENDPOINT="127.0.0.1:1").metrics, CloudMonitoring)


TOLD: dict[str, tuple[Exception | None, list[str]]] = {
    "well": (None, []),
    "down": (ApiError("outcomes_unavailable", status=503), ["outcome_topic"]),
    "no-store": (StoreUnavailable(Reason.STORE_UNAVAILABLE, "down"), ["routes"]),
}


@pytest.mark.parametrize(("error", "untold"), TOLD.values(), ids=TOLD)
def test_a_notice_that_reaches_nobody_stops_nothing(error: Exception | None, untold: list[str]) -> None:
    """The case and the log say the same, and a line says who was not told by what."""
    notifier = Telling(error)
    made: Any = services(notifier)
    made.notify(NOTICE)
    services().notify(NOTICE)
    assert notifier.notices == [NOTICE]
    lines = [line for line in made.lines if line["logging.googleapis.com/labels"]["reason"] == "notifier_failed"]
    assert [line["notifier"] for line in lines] == untold


def test_there_are_lanes_where_there_are_routes() -> None:
    """The notifier stores for them then, whether or not there is a topic."""
    made = services()
    assert (made.lanes, made.notifier) == (None, None)
    made = services(STORE="firestore://example-project/(default)")
    made.policies = PolicySet(policies=(), guardrails=NONE_GIVEN, digest="", routes=routes("ops"))
    assert isinstance(made.lanes, RouteLanes)
    assert isinstance(made.notifier, RouteNotifier)


@pytest.mark.parametrize("names", ["", "outcome_topic"])
def test_known_notifiers_let_it_start(names: str) -> None:
    """The default is one of them."""
    services(NOTIFIERS=names).check_notifiers()


def test_an_unknown_notifier_lets_nothing_start() -> None:
    """The start names those that there are."""
    with pytest.raises(SettingsError, match=r"give one of .*outcome_topic"):
        services(NOTIFIERS="outcome_topik").check_notifiers()


def test_a_token_is_read_from_its_file(tmp_path: Path) -> None:
    """Each time anew; a file that cannot be read names itself."""
    (tmp_path / "token").write_text("t1\n")
    assert read_token(str(tmp_path / "token")) == "t1"
    with pytest.raises(SettingsError, match="none"):
        read_token(str(tmp_path / "none"))
