from __future__ import annotations

import pytest

from tests import findings
from tests.counts import Cases
from tests.kits.google.interpreter import in_fresh_interpreter

CLIENTS = {
    "SECURITY_CENTER": "google.cloud.securitycenter_v2.SecurityCenterClient",
    "CLUSTER_MANAGER": "google.cloud.container_v1.ClusterManagerClient",
    "KEY_MANAGEMENT": "google.cloud.kms_v1.KeyManagementServiceClient",
    "LOGGING": "google.cloud.logging_v2.services.logging_service_v2.LoggingServiceV2Client",
    "LOG_SINKS": "google.cloud.logging_v2.services.config_service_v2.ConfigServiceV2Client",
    "MONITORING": "google.cloud.monitoring_v3.MetricServiceClient",
    "FIRESTORE": "google.cloud.firestore_v1.services.firestore.FirestoreClient",
    "PUBLISHER": "google.cloud.pubsub_v1.publisher.Client",
    "GENERATED_PUBLISHER": "google.pubsub_v1.PublisherClient",
    "METADATA_CREDENTIALS": "google.auth.compute_engine.Credentials",
    "IMPERSONATED_CREDENTIALS": "google.auth.impersonated_credentials.Credentials",
    "HTTP_REQUEST": "google.auth.transport.urllib3.Request",
    "SECURE_CHANNEL": "google.auth.transport.grpc.secure_authorized_channel",
    "KUBERNETES_REST": "kubernetes.client.rest.RESTClientObject",
}
ALL = "import resource, sys\nfrom scc_responder.adapters.google.access import lean_imports as lean\n" + "".join(
    f"lean.obtain(lean.{name})\n" for name in CLIENTS
)


def test_what_is_obtained_is_the_librarys_own() -> None:
    """The clients that respond are Google's and Kubernetes', unaltered: the ordinary import gives the very same."""
    script = f"""
import inspect, json
from importlib import import_module
from scc_responder.adapters.google.access import lean_imports as lean
obtained = {{name: lean.obtain(getattr(lean, name)) for name in {list(CLIENTS)!r}}}
def same(name, public):
    module, _, attribute = public.rpartition(".")
    source = inspect.getsourcefile(obtained[name])
    return obtained[name] is getattr(import_module(module), attribute) and "site-packages" in source
print(json.dumps([name for name, public in {CLIENTS!r}.items() if not same(name, public)]))
"""
    assert in_fresh_interpreter(script) == []


def test_what_was_imported_ordinarily_before_is_used() -> None:
    """The order of imports does not matter."""
    script = f"""
import json
from importlib import import_module
from scc_responder.adapters.google.access import lean_imports as lean
def imported(public):
    module, _, attribute = public.rpartition(".")
    return getattr(import_module(module), attribute)
before = {{name: imported(public) for name, public in {CLIENTS!r}.items()}}
print(json.dumps([name for name in before if lean.obtain(getattr(lean, name)) is not before[name]]))
"""
    assert in_fresh_interpreter(script) == []


UNUSED = (
    "aiohttp",
    "cryptography",
    "pydantic",
    "google.cloud.securitycenter_v2.services.security_center.async_client",
    "google.cloud.container_v1.services.cluster_manager.async_client",
    "google.cloud.kms_v1.services.key_management_service.async_client",
    "google.cloud.firestore_v1.services.firestore.async_client",
    "google.cloud.firestore_v1.client",
    "google.cloud.pubsub_v1.subscriber",
    "kubernetes.config",
    "kubernetes.client.models",
)


def test_what_no_finding_needs_is_not_loaded() -> None:
    """A cold start does not pay for asynchronous clients, REST transports, signing, kubeconfig or models."""
    script = f"{ALL}import json\nprint(json.dumps([name for name in {UNUSED!r} if name in sys.modules]))"
    assert in_fresh_interpreter(script) == []


def test_what_no_finding_needs_stays_unloaded_when_the_clients_are_used() -> None:
    """The first finding's calls do not bring in what the imports left out."""
    script = f"""
import json, sys
from scc_responder.adapters.google.gke.gke_clusters import GkeClusters, Server, connect_to_server
from scc_responder.adapters.google.security_center import SecurityCenter
from scc_responder.adapters.google.pubsub.topic_publisher import TopicPublisher
from scc_responder.adapters.google.firestore.firestore_store import FirestoreStore
from scc_responder.domain.errors import ApiError, ResponderError
from scc_responder.domain.finding import ClusterRef
from scc_responder.intake.notification import parse_notification
finding = parse_notification({findings.notification("reverse_shell")!r})
nowhere = dict(endpoint="127.0.0.1:1", timeout_seconds=2.0)
def reason(call, *arguments):
    try:
        call(*arguments)
    except ResponderError as error:
        return error.reason
reasons = [
    reason(SecurityCenter(sources=(), **nowhere).read, finding),
    reason(GkeClusters(**nowhere).describe, ClusterRef(project="example-project", location="us", name="c")),
    reason(FirestoreStore("firestore://p/d-1", emulator="127.0.0.1:1", deadline_seconds=0.1).get, "key"),
    reason(TopicPublisher("projects/p/topics/t", emulator="127.0.0.1:1", timeout_seconds=2.0).publish, b"x", {{}}),
]
connect_to_server(Server(url="https://127.0.0.1:1", ca_pem=None), str)
print(json.dumps([reasons, [name for name in {UNUSED!r} if name in sys.modules]]))
"""
    reasons, loaded = in_fresh_interpreter(script)
    assert reasons == ["scc_unavailable", "gke_unavailable", "store_unavailable", "pubsub_unavailable"]
    assert loaded == []


PEAK = "next(int(line.split()[1]) // 1024 for line in open('/proc/self/status') if line.startswith('VmHWM'))"


def test_all_clients_together_stay_under_the_memory_of_a_small_instance() -> None:
    """The smallest instances hold the responder with all its clients: under 150 MB, functions-framework included."""
    # Not ru_maxrss: it starts with what the test process held when it forked.
    script = f"import functions_framework\n{ALL}print({PEAK})"
    assert in_fresh_interpreter(script) < 150


LATER = {
    "asynchronous client": """
import asyncio
from google.auth.credentials import AnonymousCredentials
from google.cloud.securitycenter_v2 import SecurityCenterAsyncClient
async def main(): return type(SecurityCenterAsyncClient(credentials=AnonymousCredentials()).transport).__name__
found = asyncio.run(main())
expected = "SecurityCenterGrpcAsyncIOTransport"
""",
    "REST transport": """
from google.auth.credentials import AnonymousCredentials
import google.cloud.container_v1
client = google.cloud.container_v1.ClusterManagerClient(credentials=AnonymousCredentials(), transport="rest")
found, expected = type(client.transport).__name__, "ClusterManagerRestTransport"
""",
    "names of the package": """
import google.cloud.securitycenter_v2 as package
found = [package.types.Finding is package.Finding, package.__version__ != "", hasattr(package, "no_such_name")]
expected = [True, True, False]
""",
    "submodules of the package": """
import google.cloud.container_v1 as package
package.Cluster
import google.cloud.container_v1
found = google.cloud.container_v1.services.cluster_manager.client.ClusterManagerClient is package.ClusterManagerClient
expected = True
""",
    "all names of the package": """
from google.cloud.container_v1 import *
found, expected = Cluster.__name__ + ClusterManagerAsyncClient.__name__, "ClusterClusterManagerAsyncClient"
""",
    "long-running operations": """
from google.auth.credentials import AnonymousCredentials
from google.cloud.securitycenter_v2 import SecurityCenterClient
client = SecurityCenterClient(credentials=AnonymousCredentials())
found, expected = type(client.transport.operations_client).__module__, "google.api_core.operations_v1.operations_client"
""",
    "key files": """
from google.oauth2 import service_account
from google.oauth2.service_account import Credentials
found, expected = service_account.Credentials is Credentials and Credentials.__name__, "Credentials"
""",
    "the client's own key files": """
from google.cloud.securitycenter_v2 import SecurityCenterClient
try:
    SecurityCenterClient.from_service_account_info({})
except Exception as error:
    found, expected = type(error).__name__, "MalformedError"
""",
    "tokens over requests": """
import google.auth.transport.requests, requests
session = google.auth.transport.requests.Request().session
found, expected = isinstance(session, requests.Session), True
""",
    "subscriber": """
from google.cloud import pubsub_v1
found, expected = pubsub_v1.SubscriberClient.__name__, "SubscriberClient"
""",
    "Firestore's own client": """
from google.auth.credentials import AnonymousCredentials
from google.cloud import firestore
client = firestore.Client(project="p", credentials=AnonymousCredentials())
found, expected = client.collection("c").document("d").path, "c/d"
""",
    "asynchronous Firestore client": """
from google.cloud.firestore_v1 import AsyncClient
from google.cloud.firestore_v1.services.firestore import FirestoreAsyncClient
found, expected = [AsyncClient.__name__, FirestoreAsyncClient.__name__], ["AsyncClient", "FirestoreAsyncClient"]
""",
    "statuses of asynchronous calls": """
import grpc_status.rpc_status
found, expected = grpc_status.rpc_status.aio.from_call.__name__, "from_call"
""",
    "typed Kubernetes client": """
import kubernetes
from kubernetes import config, dynamic, utils
found = [kubernetes.client.CoreV1Api.__name__, config.load_kube_config.__name__, dynamic.DynamicClient.__name__]
expected = ["CoreV1Api", "load_kube_config", "DynamicClient"]
""",
    "identity tokens": """
from google.auth import iam, jwt
found, expected = [iam.Signer.__name__, jwt.Credentials.__name__], ["Signer", "Credentials"]
""",
}


ALONE = Cases("uses of a library in a process of its own", list(LATER)[::4], list(LATER))


@pytest.mark.parametrize("use", ALONE.chosen)
def test_everything_of_a_library_is_there_for_whoever_uses_it_later(use: str) -> None:
    """Loading little takes nothing away: any other use of the libraries in the same process works as ever."""
    answer = in_fresh_interpreter(f"{ALL}{LATER[use]}\nimport json\nprint(json.dumps([found, expected]))")
    assert answer[0] == answer[1]


@pytest.mark.parametrize("uses", [list(LATER), list(LATER)[::-1]], ids=["in order", "in reverse"])
def test_uses_one_after_another(uses: list[str]) -> None:
    """So do all of them in one process."""
    each = "".join(f"{LATER[use]}\nanswers.append([{use!r}, found, expected])\n" for use in uses)
    answers = in_fresh_interpreter(f"{ALL}answers = []\n{each}\nimport json\nprint(json.dumps(answers))")
    assert len(answers) == len(LATER)
    assert [answer for answer in answers if answer[1] != answer[2]] == []


def test_threads_may_obtain_and_use_together() -> None:
    """The first finding's reads load their clients side by side."""
    names = list(CLIENTS) * 3
    script = f"""
import json
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from scc_responder.adapters.google.access import lean_imports as lean
def use(name): return lean.obtain(getattr(lean, name)).__module__
def ordinary(module): return import_module(module).SecurityCenterAsyncClient.__module__
with ThreadPoolExecutor(12) as pool:
    used = list(pool.map(use, {names!r}))
    used += pool.map(ordinary, ["google.cloud.securitycenter_v2"] * 4)
    print(json.dumps(len(used)))
"""
    assert in_fresh_interpreter(script) == len(names) + 4
