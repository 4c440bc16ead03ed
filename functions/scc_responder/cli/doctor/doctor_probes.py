"""Which probes a deployment gets, by its settings, and the adapters that ask."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from scc_responder.cli.doctor.doctor_cloud_run import run_probes
from scc_responder.cli.doctor.doctor_clusters import Found, Wanted, find_clusters
from scc_responder.cli.doctor.doctor_sources import finding_probes, source_probes
from scc_responder.domain.errors import SettingsError
from scc_responder.domain.mode import Mode
from scc_responder.domain.ports import Clock
from scc_responder.pipeline.services import read_token
from scc_responder.policy.policy_set import PolicySet
from scc_responder.settings import VARIABLE_PREFIX, Settings, read_settings
from scc_responder.workbench.deployment.route_checks import route_probes
from scc_responder.workbench.doctor import check
from scc_responder.workbench.doctor.check import OR, Check
from scc_responder.workbench.doctor.cluster_checks import Examined, examine_cluster
from scc_responder.workbench.doctor.delivery_checks import examine_delivery, examine_outcomes
from scc_responder.workbench.doctor.deployed import Deployment, read_deployment
from scc_responder.workbench.doctor.google_checks import bucket_of, examine_evidence
from scc_responder.workbench.doctor.policy_checks import consistent, load
from scc_responder.workbench.doctor.responder_identity import Caller, examine_identity
from scc_responder.workbench.doctor.side_by_side import side_by_side
from scc_responder.workbench.doctor.signing_checks import examine_signing, signing_not_set
from scc_responder.workbench.doctor.store_checks import Ask, examine_store
from scc_responder.workbench.local_services import LocalServices
from scc_responder.workbench.needed_permissions import Need, needed_by
from scc_responder.workbench.policy_files.policy_file import load_policies

GROUPS = ("identity", "delivery", "outcomes", "findings", "store", "evidence", "cluster", "cloud_run")

_AS_ANYBODY = frozenset({"delivery"})
"""Groups whose result does not depend on doctor's identity; any other group probes the identity too."""

Answers = Iterator[tuple[int, list[Check]]]
ProbeProgress = Callable[[Answers, int], Answers]


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One probe. `name` and `probed` are what is told where it does not answer."""

    name: str
    probed: str
    ask: Callable[[], Sequence[Check]]


class Doctor:
    """One examination: `prepared`, then `jobs`, then their `answers`. A context manager: it closes what it opened.

    `namespace` and `username`: see `Examined`.
    """

    namespace = "default"
    username = ""

    def __init__(
        self,
        environment: Mapping[str, str],
        *,
        clock: Clock,
        clusters: Wanted | None = None,
        services: Sequence[str] = (),
        only: Sequence[str] = GROUPS,
        sends: bool = False,
    ) -> None:
        self._environment = environment
        self._clock = clock
        self._wanted = clusters or Wanted()
        self._named_services = services
        self._sends = sends
        self._only = frozenset(only) if frozenset(only) <= _AS_ANYBODY else frozenset({"identity", *only})
        self._opened = ExitStack()
        self._settings: Settings | None = None
        self._deployment = Deployment()
        self._policies: PolicySet | None = None
        self._found = Found()
        self._services: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._opened.close()

    def prepared(self, seconds: float) -> list[Check]:
        """What can be said of the settings and policies, and which clusters there are to probe."""
        try:
            settings = self._settings = read_settings(self._environment, Path("policies"))
            self._deployment = read_deployment(self._environment)
        except SettingsError as error:
            fix = f"terraform output -raw settings > responder.env{OR}fix it: what each is, settings/ says"
            self._settings = None
            return [check.probe_failed("settings", VARIABLE_PREFIX, error, fix)]
        self._services = LocalServices(settings)
        self._policies, loaded = load(settings, lambda: load_policies(settings.policies))
        checks = [*(consistent(settings, self._policies) if self._policies else ())]
        checks = checks or [check.ok("settings", VARIABLE_PREFIX, "complete and consistent")]
        if "cluster" in self._only:
            self._found = find_clusters(settings, self._clusters, self._wanted, seconds)
        return self._named([*checks, loaded, *self._found.checks])

    def jobs(self) -> list[Job]:
        """The probes, in the order in which they are told."""
        if self._settings is None:
            return []
        made = {
            "identity": self._identity,
            "delivery": self._delivery,
            "outcomes": self._outcomes,
            "findings": self._sources,
            "store": self._store,
            "evidence": self._evidence,
            "cluster": self._each_cluster,
            "cloud_run": self._cloud_run,
        }
        return [job for group, make in made.items() if group in self._only for job in make(self._settings)]

    def answers(self, jobs: Sequence[Job], seconds: float) -> Answers:
        """The results as they come: the number of the job, and its checks."""
        for answer in side_by_side([job.ask for job in jobs], seconds):
            job = jobs[answer.number]
            checks = answer.value
            if checks is None:
                checks = [check.unanswered(job.name, job.probed, answer.error, seconds)]
            yield answer.number, self._named(checks)

    def examined(self, seconds: float, progress: ProbeProgress) -> list[Check]:
        """Everything, in the order in which it is told; `progress` is given the answers as they come."""
        end = time.monotonic() + seconds
        prepared, jobs = self.prepared(seconds), self.jobs()
        answers = progress(self.answers(jobs, max(0.0, end - time.monotonic())), len(jobs))
        return prepared + [one for _, checks in sorted(answers, key=lambda item: item[0]) for one in checks]

    def _named(self, checks: Sequence[Check]) -> list[Check]:
        store = self._settings.store if self._settings else ""
        names = {"IDENTITY": self._deployment.identity, "STORE": store}
        return [check.filled(one, names) for one in checks]

    def _identity(self, settings: Settings) -> Iterator[Job]:
        yield Job(
            name="identity",
            probed=self._deployment.identity,
            ask=lambda: [examine_identity(self._caller(settings), self._deployment.identity)],
        )

    def _caller(self, settings: Settings) -> Caller:
        from scc_responder.adapters.google.access.own_identity import GoogleCaller  # noqa: PLC0415 - delivery alone has no need of it

        other, file = self._deployment.tokeninfo, settings.kubernetes_token_file
        # A cluster's own token is nobody's business but a stand-in's on this machine.
        return GoogleCaller(other, token=partial(read_token, file) if other and file else None)

    def _delivery(self, _settings: Settings) -> Iterator[Job]:
        name = self._deployment.subscription
        yield Job(
            name="delivery.subscription",
            probed=name,
            ask=lambda: list(examine_delivery(self._pubsub, self._deployment)),
        )

    def _outcomes(self, settings: Settings) -> Iterator[Job]:
        topic = settings.outcome_topic
        yield Job(name="outcomes.topic", probed=topic, ask=lambda: list(examine_outcomes(self._pubsub, topic)))
        for name, ask in route_probes(self._policies, settings, self._clock(), send=self._sends):
            yield Job(name="routes", probed=name, ask=partial(_listed, ask))

    def _sources(self, settings: Settings) -> Iterator[Job]:
        for name, probed, ask in finding_probes(self._services, settings, self._deployment.scope):
            yield Job(name=name, probed=probed, ask=partial(_alone, ask))

    def _store(self, settings: Settings) -> Iterator[Job]:
        yield Job(name="store", probed=settings.store, ask=lambda: self._examined_store(settings))

    def _examined_store(self, settings: Settings) -> list[Check]:
        path = settings.store.removeprefix("sqlite:///")
        if path != settings.store and not Path(path).is_file():  # to look at one must not make it
            return [check.fault("store", path, "no_store", "there is no such file yet", "scc-responder serve")]
        ask = Ask(settings=settings, deployment=self._deployment, policies=self._policies)
        return list(examine_store(self._closing(self._services.store), ask, self._clock))

    def _evidence(self, settings: Settings) -> Iterator[Job]:
        yield Job(
            name="evidence.write", probed=settings.evidence, ask=lambda: self._examined_evidence(settings.evidence)
        )
        if settings.signing_key or settings.evidence.startswith("gs:"):
            yield Job(
                name="evidence.signing", probed=settings.signing_key, ask=lambda: self._examined_signing(settings)
            )

    def _examined_signing(self, settings: Settings) -> list[Check]:
        if not settings.signing_key:
            return [signing_not_set()]
        from scc_responder.adapters.google.kms_access import KmsAccess  # noqa: PLC0415 - as below

        access = KmsAccess(settings.signing_key, endpoint=settings.kms_endpoint)
        return list(examine_signing(access, settings.signing_key))

    def _examined_evidence(self, address: str) -> list[Check]:
        if not address:
            return [
                check.skipped("evidence.write", f"{VARIABLE_PREFIX}EVIDENCE", "evidence_not_set", "no evidence is kept")
            ]
        if address.startswith("file:"):
            return [_folder(address)]
        from scc_responder.adapters.google.storage import bucket_access  # noqa: PLC0415 - the folder has no need of it

        emulator = self._environment.get(bucket_access.STORAGE_EMULATOR, "")
        bucket = bucket_access.BucketAccess(bucket_of(address), emulator=emulator)
        return list(examine_evidence(bucket, address, self._clock))

    def _cloud_run(self, settings: Settings) -> Iterator[Job]:
        projects, named, who = self._deployment.cloud_run_projects, self._named_services, self._deployment.identity
        for name, probed, ask in run_probes(self._services, settings, projects, named, self._needs(), identity=who):
            yield Job(name=name, probed=probed, ask=ask)

    def _needs(self) -> tuple[Need, ...]:
        return needed_by(self._policies.policies if self._policies else ())

    def _each_cluster(self, settings: Settings) -> Iterator[Job]:
        policies = self._policies.policies if self._policies else ()
        needs = self._needs()
        furthest = max((policy.furthest for policy in policies), key=list(Mode).index, default=Mode.DRY_RUN)
        for ref in self._found.refs:
            identity, namespace = self._deployment.identity, self.namespace
            one = Examined(
                ref=ref,
                needs=needs,
                identity=identity,
                username=self.username,
                furthest=furthest,
                namespace=namespace,
                collector=settings.collector,
            )
            clusters = self._clusters
            ask = partial(_listed, partial(examine_cluster, clusters, clusters.way, one))
            yield Job(name="cluster.reached", probed=ref.path, ask=ask)
        projects = sorted({ref.project for ref in self._found.refs})
        of_run = self._deployment.cloud_run_projects
        for name, probed, ask_one in source_probes(self._services, settings, projects, needs, of_run):
            yield Job(name=name, probed=probed, ask=partial(_alone, ask_one))

    @cached_property
    def _clusters(self) -> Any:
        return self._closing(self._services.clusters)

    @cached_property
    def _pubsub(self) -> Any:
        from scc_responder.adapters.google.pubsub.pubsub_access import PubSubAccess  # noqa: PLC0415 - as above
        from scc_responder.settings import PUBSUB_EMULATOR  # noqa: PLC0415

        return self._closing(PubSubAccess(emulator=self._environment.get(PUBSUB_EMULATOR, "")))

    def _closing(self, adapter: Any) -> Any:
        close = getattr(adapter, "close", None)
        if close is not None:
            self._opened.callback(close)
        return adapter


def _alone(ask: Callable[[], Check]) -> list[Check]:
    return [ask()]


def _listed(ask: Callable[[], Iterator[Check]]) -> list[Check]:
    return list(ask())


def _folder(address: str) -> Check:
    path = Path(address.removeprefix("file://"))
    if path.is_dir() and os.access(path, os.W_OK):
        return check.ok("evidence.write", address, "a folder on this machine")
    why = "there is no such folder that one may write in"
    return check.fault(
        "evidence.write", address, "evidence_not_writable", why, f"give {VARIABLE_PREFIX}EVIDENCE another folder"
    )
