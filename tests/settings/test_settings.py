"""Settings are checked before anything is served; each fault names the variable and the remedy."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from scc_responder.domain.errors import SettingsError
from scc_responder.domain.resource_names import NotificationConfig
from scc_responder.settings import read_settings

LOCAL = {
    "SCC_RESPONDER_CLUSTERS": "projects/example-project/locations/*/clusters/*, projects/p/locations/l/clusters/c",
    "SCC_RESPONDER_SOURCES": "1, 2",
    "SCC_RESPONDER_STORE": "sqlite:////tmp/journal.db",
}


SIGNING_KEY = "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1"


def refused(**changes: str) -> SettingsError:
    """How these settings are refused."""
    environment = {**LOCAL, **{_variable(name): value for name, value in changes.items()}}
    with pytest.raises(SettingsError) as caught:
        read_settings(environment, Path("policies"))
    return caught.value


def _variable(name: str) -> str:
    return name if name == "K_SERVICE" or name.endswith("_EMULATOR_HOST") else f"SCC_RESPONDER_{name}"


def test_lists_are_split_and_default_empty() -> None:
    """Lists are split, and what is not given is empty."""
    found = read_settings({**LOCAL, "SCC_RESPONDER_OUTCOME_TOPIC": ""}, Path("policies"))
    assert found.clusters == ("projects/example-project/locations/*/clusters/*", "projects/p/locations/l/clusters/c")
    assert (found.sources, found.policies, found.outcome_topic) == (("1", "2"), Path("policies"), "")


@pytest.mark.parametrize("url", ["", "https://console.example.com", "https://c.example:8443/responder/v1"])
def test_the_console_is_an_address(url: str) -> None:
    """Left out, notices show a command in the place of a link."""
    assert read_settings({**LOCAL, "SCC_RESPONDER_CONSOLE_URL": url}, Path("policies")).console_url == url


CONSOLES = (
    "http://console.example.com",
    "javascript:alert(1)",
    "console.example.com",
    "https://console.example.com/",
    "https://user@console.example.com",
    "https://console.example.com?a=b",
    "https://console.example.com#x",
    "https://console.example.com/ <b>",
    "https://console.example.com|x",
    "https://c\u043ensole.example.com",
    "https://console.example.com-",
)


@pytest.mark.parametrize("url", CONSOLES)
def test_another_console_stops_the_start(url: str) -> None:
    """What each notice links to is https, a host and a path, and holds no markup."""
    assert (refused(CONSOLE_URL=url).reason, "SCC_RESPONDER_CONSOLE_URL" in str(refused(CONSOLE_URL=url))) == (
        "invalid_setting",
        True,
    )


@pytest.mark.parametrize(
    "name", ["vpc_egress", "connect_gateway", "cloud_logging", "cloud_monitoring", "essential_contacts"]
)
@pytest.mark.parametrize(("given", "expected"), [(None, False), ("", False), ("false", False), ("true", True)])
def test_ways_to_clusters(name: str, given: str | None, expected: bool) -> None:
    """Private addresses and the gateway are in reach only where the deployment says so."""
    environment = LOCAL if given is None else {**LOCAL, _variable(name.upper()): given}
    assert getattr(read_settings(environment, Path("policies")), name) is expected


def test_what_sends_findings_is_json() -> None:
    """Name, topic and filter as they were made; left out, nothing is compared."""
    setting = '{"filter":"state = \\"ACTIVE\\"","name":"n","pubsub_topic":"t"}'
    found = read_settings({**LOCAL, "SCC_RESPONDER_NOTIFICATION_CONFIG": setting}, Path("policies"))
    assert found.notification_config == NotificationConfig(name="n", pubsub_topic="t", filter='state = "ACTIVE"')
    assert read_settings(LOCAL, Path("policies")).notification_config is None
    for wrong in ("n", '{"name": "n"}', '{"name": 1, "pubsub_topic": "t", "filter": ""}'):
        error = refused(NOTIFICATION_CONFIG=wrong)
        assert (error.reason, "NOTIFICATION_CONFIG" in str(error)) == ("invalid_setting", True)


LOOKS = {
    "": (60, 300, 3600, 86400),
    "never": (),
    "30s": (30,),
    "1m, 2d,5h": (60, 172800, 18000),
    ",".join(["1m"] * 12): (60,) * 12,
}


@pytest.mark.parametrize(("given", "seconds"), LOOKS.items())
def test_looks_are_durations_or_never(given: str, seconds: tuple[int, ...]) -> None:
    """How long after it was contained a case is looked at."""
    found = read_settings({**LOCAL, "SCC_RESPONDER_LOOKS": given}, Path("policies"))
    assert found.looks == tuple(timedelta(seconds=each) for each in seconds)


@pytest.mark.parametrize("given", ["1", "0m", "5 m", "always", "1m,", ",".join(["1m"] * 13), "1m,never", "99999d"])
def test_looks_of_another_form_are_refused(given: str) -> None:
    """The message names the variable."""
    error = refused(LOOKS=given)
    assert (error.reason, "SCC_RESPONDER_LOOKS" in str(error)) == ("invalid_setting", True)


SERVICES = "projects/example-project/locations/*/services/*, projects/p/locations/l/jobs/nightly"


def test_services_are_patterns_or_none() -> None:
    """Without them nothing on Cloud Run is changed. What is our own, Cloud Run says itself."""
    plain = read_settings({**LOCAL, "SCC_RESPONDER_SERVICES": " "}, Path("policies"))
    assert (plain.services, plain.own_service, plain.service_name, plain.revision_name) == ((), "", "", "")
    own = {"SCC_RESPONDER_OWN_SERVICE": "projects/p/locations/l/services/responder", "K_REVISION": "responder-1"}
    found = read_settings({**LOCAL, **own, "SCC_RESPONDER_SERVICES": SERVICES}, Path("policies"))
    assert found.services == tuple(SERVICES.split(", "))
    assert (found.own_service, found.revision_name) == (own["SCC_RESPONDER_OWN_SERVICE"], "responder-1")


NOTIFIERS = [
    pytest.param({}, ("outcome_topic",), {}, id="default"),
    pytest.param({"NOTIFIERS": "", "CHAT_URL": "x"}, ("outcome_topic",), {}, id="empty"),
    pytest.param({"NOTIFIERS": "outcome_topic, chat"}, ("outcome_topic", "chat"), {}, id="two"),
    pytest.param({"NOTIFIERS": "chat", "CHAT_URL": "x", "CHATS": "y"}, ("chat",), {"url": "x"}, id="with-options"),
]


@pytest.mark.parametrize(("given", "names", "options"), NOTIFIERS)
def test_notifiers_have_options_of_their_own(
    given: dict[str, str], names: tuple[str, ...], options: dict[str, str]
) -> None:
    """A notifier is given what begins with its name, so that one more needs no other change."""
    found = read_settings({**LOCAL, **{_variable(name): value for name, value in given.items()}}, Path("policies"))
    assert found.notifiers == names
    assert found.notifier_options.get("chat", {}) == options


ON_CLOUD_RUN = [
    pytest.param({}, "store_not_durable", "SCC_RESPONDER_STORE", id="sqlite"),
    pytest.param({"STORE": ""}, "store_not_durable", "SCC_RESPONDER_STORE", id="no-store"),
    pytest.param({"FINDINGS": "/f"}, "local_only_setting", "SCC_RESPONDER_FINDINGS", id="file-findings"),
    pytest.param(
        {"CLUSTERS_FILE": "clusters.yaml"}, "local_only_setting", "SCC_RESPONDER_CLUSTERS_FILE", id="clusters"
    ),
    pytest.param({"SCC_ENDPOINT": "x:1"}, "local_only_setting", "SCC_RESPONDER_SCC_ENDPOINT", id="other-scc"),
    pytest.param({"GKE_ENDPOINT": "x:1"}, "local_only_setting", "SCC_RESPONDER_GKE_ENDPOINT", id="other-gke"),
    pytest.param({"KMS_ENDPOINT": "x:1"}, "local_only_setting", "SCC_RESPONDER_KMS_ENDPOINT", id="other-kms"),
    pytest.param({"REGISTRY_ENDPOINT": "x:1"}, "local_only_setting", "REGISTRY_ENDPOINT", id="other-registry"),
    pytest.param({"KUBERNETES_TOKEN_FILE": "/t"}, "local_only_setting", "TOKEN_FILE", id="token"),
    pytest.param({"APPROVAL_CERTS": "http://127.0.0.1:1/"}, "local_only_setting", "APPROVAL_CERTS", id="other-issuer"),
    pytest.param(
        {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080"}, "local_only_setting", "FIRESTORE_EMULATOR_HOST", id="emulator"
    ),
    pytest.param(
        {"PUBSUB_EMULATOR_HOST": "127.0.0.1:8085"}, "local_only_setting", "PUBSUB_EMULATOR_HOST", id="pubsub-emulator"
    ),
    pytest.param(
        {"STORE": "firestore://x", "EVIDENCE": "file:///e"},
        "evidence_not_durable",
        "SCC_RESPONDER_EVIDENCE",
        id="folder",
    ),
]


@pytest.mark.parametrize(("changes", "reason", "variable"), ON_CLOUD_RUN)
def test_on_cloud_run(changes: dict[str, str], reason: str, variable: str) -> None:
    """What would lose cases or believe local files stops the start on Cloud Run."""
    error = refused(K_SERVICE="scc-responder", **changes)
    assert (error.reason, variable in str(error)) == (reason, True)


STORES = [
    "sqlite:///journal.db",
    "firestore://example-project/(default)",
    "firestore://example-project/responder",
    "firestore://example.com:old-project/responder-1/cases",
]


@pytest.mark.parametrize("store", STORES)
def test_a_store_is_file_or_firestore(store: str) -> None:
    """A store is a file, or a collection in a Firestore database."""
    assert read_settings({**LOCAL, "SCC_RESPONDER_STORE": store}, Path("policies")).store == store


def test_firestore_on_cloud_run() -> None:
    """With Firestore, the function starts."""
    environment = {**LOCAL, "K_SERVICE": "scc-responder", "SCC_RESPONDER_STORE": STORES[1]}
    assert read_settings(environment, Path("policies")).store == STORES[1]


def test_an_emulator_is_used_where_set() -> None:
    """On this machine, Google's emulator is used as by Google's own tools."""
    found = read_settings({**LOCAL, "FIRESTORE_EMULATOR_HOST": "127.0.0.1:8080"}, Path("policies"))
    assert found.firestore_emulator == "127.0.0.1:8080"


def test_repositories_of_images_are_named_in_full() -> None:
    """Each with its project and its location, and none where none is given."""
    name = "SCC_RESPONDER_IMAGE_REPOSITORIES"
    both = ("projects/p/locations/us/repositories/gcr.io", "projects/example.com:p/locations/europe/repositories/i-1")
    assert read_settings({**LOCAL, name: ", ".join(both)}, Path("policies")).image_repositories == both
    assert read_settings({**LOCAL, name: ""}, Path("policies")).image_repositories == ()
    for given in ("europe-docker.pkg.dev/p/i", "projects/p/locations/us/repositories/*", f"{both[0]}/x"):
        assert name in str(refused(IMAGE_REPOSITORIES=given))


def test_a_signing_key_is_named_in_full() -> None:
    """As Google's own tools name it; without one, none is used."""
    given = {**LOCAL, "SCC_RESPONDER_SIGNING_KEY": SIGNING_KEY, "SCC_RESPONDER_KMS_ENDPOINT": "127.0.0.1:1"}
    found = read_settings(given, Path("policies"))
    assert (found.signing_key, found.kms_endpoint) == (SIGNING_KEY, "127.0.0.1:1")
    assert read_settings(LOCAL, Path("policies")).signing_key == ""


MISTAKES = [
    pytest.param({"CLUSTERS": ""}, "SCC_RESPONDER_CLUSTERS is not set", id="no-clusters"),
    pytest.param({"CLUSTERS": "prod-1"}, "SCC_RESPONDER_CLUSTERS: 'prod-1'", id="a-bare-name"),
    pytest.param({"CLUSTERS": "projects/p/locations/l/clusters/prod-*"}, "for a whole segment", id="half-a-segment"),
    pytest.param({"CLUSTERS": "projects/p/locations/l/clusters/**"}, "for a whole segment", id="two-stars"),
    pytest.param({"CLUSTERS": "projects/p/locations/l/clusters/prod-?"}, "for a whole segment", id="question-mark"),
    pytest.param({"CLUSTERS": "projects/*"}, "for a whole segment", id="too-short"),
    pytest.param({"CLUSTERS": "projects/p/zones/z/clusters/c"}, "projects/P/locations/L", id="zones"),
    pytest.param({"CLUSTERS": "projects/p/locations/l/clusters/c/x"}, "projects/P/locations/L", id="too-long"),
    pytest.param({"SERVICES": "checkout"}, "SCC_RESPONDER_SERVICES: 'checkout' is not projects/P/lo", id="a-service"),
    pytest.param({"SERVICES": "projects/p/locations/l/services/check*"}, "for a whole segment", id="half-a-service"),
    pytest.param({"SERVICES": "projects/100000000001/locations/l/services/s"}, "project's id", id="project-number"),
    pytest.param({"SERVICES": "projects/p/locations/l/services/s.v:2"}, "SCC_RESPONDER_SERVICES", id="no-name"),
    pytest.param({"SERVICES": "projects/p/locations/l/workerPools/w"}, "services/N or .../jobs/N", id="worker-pool"),
    pytest.param({"SERVICES": "projects/p/locations/l/services/s/revisions/r"}, ".../jobs/N", id="a-revision"),
    pytest.param({"OWN_SERVICE": "projects/p/locations/l/services/*"}, "SCC_RESPONDER_OWN_SERVICE", id="own-pattern"),
    pytest.param({"RUN_WRITER": "writer"}, "SCC_RESPONDER_RUN_WRITER: 'writer' is not an e-mail", id="a-bare-account"),
    pytest.param({"SOURCES": ""}, "SCC_RESPONDER_SOURCES is not set", id="no-sources"),
    pytest.param({"SOURCES": "organizations/1/sources/2"}, "numeric ids", id="a-source-name"),
    pytest.param({"SOURCES": "*"}, "numeric ids", id="any-source"),
    pytest.param({"STORE": ""}, "SCC_RESPONDER_STORE", id="no-store"),
    pytest.param({"STORE": "journal.db"}, "sqlite:///PATH", id="a-bare-path"),
    pytest.param({"STORE": "firestore://example-project"}, "firestore://PROJECT/DATABASE", id="no-database"),
    pytest.param({"STORE": "firestore://p/(default)/a/b"}, "firestore://PROJECT/DATABASE", id="a-subcollection"),
    pytest.param({"STORE": "firestore://p/(default)/__a__"}, "firestore://PROJECT/DATABASE", id="a-reserved-name"),
    pytest.param({"STORE": "firestore://p/(default)/a\n"}, "firestore://PROJECT/DATABASE", id="a-line-end"),
    pytest.param({"STORE": "firestore://../(default)"}, "firestore://PROJECT/DATABASE", id="a-path-upwards"),
    pytest.param({"EVIDENCE": "evidence"}, "gs://BUCKET/PREFIX", id="evidence-in-a-bare-path"),
    pytest.param({"SIGNING_KEY": "file:///key.pem"}, "cryptoKeyVersions/N", id="signing-key-in-a-file"),
    pytest.param({"SIGNING_KEY": SIGNING_KEY.rpartition("/cry")[0]}, "cryptoKeyVersions/N", id="key-without-version"),
    pytest.param({"EVIDENCE": "s3://bucket"}, "gs://BUCKET/PREFIX", id="evidence-elsewhere"),
    pytest.param({"APPROVAL_AUDIENCE": "https://x.example.com --help"}, "https:// URL or a client id", id="audience"),
    pytest.param({"VPC_EGRESS": "yes"}, "SCC_RESPONDER_VPC_EGRESS: 'yes' is not true or false", id="vpc-egress"),
    pytest.param({"CONNECT_GATEWAY": "1"}, "SCC_RESPONDER_CONNECT_GATEWAY: '1' is not true or false", id="gateway"),
    pytest.param({"OUTCOME_TOPIC": "outcomes"}, "projects/P/topics/T", id="a-bare-topic"),
    pytest.param({"NOTIFIERS": "../chat"}, "names of notifiers", id="a-notifier-elsewhere"),
    pytest.param({"SCC_LOCATION": "eu.rep.example.com/"}, "data residency", id="a-host-as-location"),
]


@pytest.mark.parametrize(("changes", "told"), MISTAKES)
def test_an_unusable_setting_is_named(changes: dict[str, str], told: str) -> None:
    """A setting that cannot be used is named with what was expected."""
    assert told in str(refused(**changes))


GCLOUD = "32555940559.apps.googleusercontent.com"
ADC = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"


@pytest.mark.parametrize("audience", [GCLOUD, ADC, ADC.upper()])
@pytest.mark.parametrize("where", ["", "responder"], ids=["local", "cloud-run"])
def test_an_audience_that_everybody_shares(audience: str, where: str) -> None:
    """A token that gcloud makes for anybody must not approve: whoever gets one could send it on."""
    store = {"SCC_RESPONDER_STORE": "firestore://example-project/responder"}
    environment = {**LOCAL, **store, "SCC_RESPONDER_APPROVAL_AUDIENCE": audience, "K_SERVICE": where}
    with pytest.raises(SettingsError, match="a gcloud token to could approve with it") as caught:
        read_settings(environment, Path("policies"))
    assert caught.value.reason == "audience_shared"


@pytest.mark.parametrize("audience", ["1.apps.googleusercontent.com", "http://x.example.com", "https:x.example.com"])
def test_an_audience_on_cloud_run(audience: str) -> None:
    """On Cloud Run only a URL can be the function's own."""
    store = {"SCC_RESPONDER_STORE": "firestore://example-project/responder", "K_SERVICE": "responder"}
    environment = {**LOCAL, **store, "SCC_RESPONDER_APPROVAL_AUDIENCE": audience}
    with pytest.raises(SettingsError, match=r"is not the function's https:// URL"):
        read_settings(environment, Path("policies"))
    url = {"SCC_RESPONDER_APPROVAL_AUDIENCE": "https://x.example.com"}
    assert read_settings({**environment, **url}, Path("policies")).function_url == "https://x.example.com"


AUDIENCES = [
    pytest.param({}, (True, ""), id="none"),
    pytest.param({"APPROVAL_AUDIENCE": ""}, (True, ""), id="empty"),
    pytest.param({"APPROVAL_AUDIENCE": "https://x.example.com"}, (False, "https://x.example.com"), id="url"),
    pytest.param({"APPROVAL_AUDIENCE": "1.apps.googleusercontent.com"}, (False, ""), id="client-id"),
]


@pytest.mark.parametrize(("changes", "expected"), AUDIENCES)
def test_who_may_approve(changes: dict[str, str], expected: tuple[bool, str]) -> None:
    """Without an audience this machine is trusted; a URL as the audience is where the function is asked."""
    environment = {**LOCAL, **{_variable(name): value for name, value in changes.items()}}
    found = read_settings(environment, Path("policies"))
    assert (found.trusts_this_machine, found.function_url) == expected


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("", True),
        ("europe-docker.pkg.dev/example-project/tools/collector@sha256:" + "a" * 64, True),
        ("127.0.0.1:5000/collector@sha256:" + "a" * 64, True),
        ("europe-docker.pkg.dev/example-project/tools/collector:1.0", False),
        ("europe-docker.pkg.dev/example-project/tools/collector:1.0@sha256:" + "A" * 64, False),
        ("collector@sha256:abc", False),
        ("collector @sha256:" + "a" * 64, False),
    ],
)
def test_the_collector_is_named_by_its_digest(given: str, taken: bool) -> None:
    """A tag could become another image, which would then run beside an attack with rights of ours."""
    if taken:
        found = read_settings({**LOCAL, "SCC_RESPONDER_COLLECTOR": given}, Path("policies"))
        assert found.collector == given
    else:
        assert refused(collector=given).reason == "invalid_setting"
