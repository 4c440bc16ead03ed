"""Every word that says why, once, with what it means. `{}` stands for a name: `Reason.EXEMPT.of("payments")`."""

from __future__ import annotations

from scc_responder.domain.reasons.words import Trait, Word

_ALREADY, _UNREAD, _MISSING, _LASTING, _BEYOND, _ADMISSION, _LEFT_OUT, _ANEW, _YIELDS, _PASSES, _HAND = Trait


class Reason(Word):
    """Why something is so, was done, or was not. Stored: a word is never changed, nor given another meaning."""

    # A message, and whether it is a finding.
    OVERSIZE = "oversize", "too large to parse: the finding is read again by its name"
    OVERSIZE_BODY = "oversize_body", "too large to open"
    NO_SUCH_PATH = "no_such_path", "a request to another path than Pub/Sub's, Scheduler's and people's"
    METHOD_NOT_ALLOWED = "method_not_allowed", "a request that is no POST"
    NO_DATA = "no_data", "the message has no data"
    FOREIGN_EVENT = "foreign_event", "an event that is no Pub/Sub message"
    FOREIGN_JSON = "foreign_json", "JSON that is no Pub/Sub message"
    TOO_DEEP = "too_deep", "JSON nested too deeply to parse"
    NOT_AN_ENVELOPE = "not_an_envelope", "a field of the Pub/Sub message has the wrong type"
    NOT_JSON = "not_json", "no JSON"
    BAD_BASE64 = "bad_base64", "the message's data is no base64"
    NOT_A_FINDING = "not_a_finding", "JSON that is no finding"
    MALFORMED_FINDING_NAME = "malformed_finding_name", "the finding's name is none of Security Command Center's"
    NO_EVENT_TIME = "no_event_time", "the finding has no event time"
    LOG_ENTRY = "log_entry", "a finding exported by Cloud Logging: use a notification config"
    SEVERAL_FINDINGS = "several_findings", "several findings in one message"
    # The finding, as Security Command Center has it.
    SOURCE_NOT_ALLOWED = "source_not_allowed", "settings do not list the finding's source"
    CLUSTER_NOT_LISTED = "cluster_not_listed", "settings do not list the finding's cluster"
    UNKNOWN_FINDING = "unknown_finding", "Security Command Center has no such finding: perhaps forged"
    FINDING_NAME_DIFFERS = "finding_name_differs", "what was read is another finding: perhaps forged", _HAND
    FINDING_NOT_LISTED_YET = "finding_not_listed_yet", "ordinary: the list lags behind notifications"
    FINDING_UNREADABLE = "finding_unreadable", "Security Command Center's answer is no finding"
    FINDING_FROM_THE_FUTURE = "finding_from_the_future", "its event time is ahead of our clock"
    FINDINGS_UNAVAILABLE = "findings_unavailable", "the folder of findings could not be read"
    OTHER_FINDING = "other_finding", "the read returned another finding", _LASTING
    MALFORMED_RESOURCE_NAME = "malformed_resource_name", "related findings cannot be asked for by such a name", _LASTING
    NOT_A_THREAT = "not_a_threat", "a vulnerability or misconfiguration, no threat"
    INACTIVE = "inactive", "the finding was closed"
    MUTED = "muted", "the finding was muted"
    # The case, and who works on it.
    CLAIMED = "claimed", "this delivery opened the case"
    RESUMED = "resumed", "an unfinished case was taken again"
    REOPENED = "reopened", "a closed case was opened again: the finding has news"
    IN_PROGRESS = "in_progress", "another delivery works on the case"
    DUPLICATE = "duplicate", "a copy that brings nothing new"
    STALE = "stale", "older than what the case knows"
    DONE_BEFORE = "done_before", "an earlier delivery did it"
    CASE_IN_PROGRESS = "case_in_progress", "a delivery works on the case: answer again later"
    CASE_CONTENDED = "case_contended", "other writers changed the case at each try"
    CASE_NOT_HELD = "case_not_held", "the case was given back already"
    LEASE_LOST = "lease_lost", "another process has taken the case"
    NO_SUCH_CASE = "no_such_case", "there is no such case: give all 12 digits of its id, as `case list` prints them"
    RECORD_NEWER = "record_newer", "a later version wrote the case"
    RECORD_UNREADABLE = "record_unreadable", "the stored case makes no sense"
    NO_CHAIN = "no_chain", "a version without hash chains wrote the case, or somebody took its chain away"
    WRITTEN_WITHOUT_CHAIN = "written_without_chain", "a version without hash chains wrote its steps, or so it looks"
    CHAIN_GAP = "chain_gap", "something wrote the case and left no line in the log: an instance that ended, or somebody"
    UNDO_UNTOLD = "undo_untold", "the case says that it was taken back; no message of that is among what was given"
    CHAIN_BROKEN = "chain_broken", "the steps are not those that the case's hash chain was made of, or the plan is not"
    RESERVED_BY_OPEN_FINDING = "reserved_by_open_finding", "ordinary: another finding is about to do it"
    RESERVED_BY_OTHER_FINDING = "reserved_by_other_finding", "another finding on the same target has done it"
    MARKED = "marked", "a person said whether what was done was right"
    RESUMED_BY_PERSON = "resumed_by_person", "a person asked that the case be resumed"
    EXEMPTED = "exempted", "a person exempted the case's threat on its workload for some hours"
    NOTHING_TO_EXEMPT = "nothing_to_exempt", "the case does not know its threat or its workload"
    ASKED_BY_PERSON = "asked_by_person", "a person asked for a step that a limit, a breaker or its age held"
    NO_STEP_TO_ASK_FOR = (
        "no_step_to_ask_for",
        "no limit, breaker or age holds a step of this name in a policy that acts",
    )
    PLAN_WAITS = "plan_waits", "a plan of the case waits: answer it first"
    STILL_OPEN = "still_open", "the case is open: its message, or a sweep, goes on with it"
    NOTHING_LEFT = "nothing_left", "the case is done: there is nothing to try again"
    NO_CHOICE_AWAITED = "no_choice_awaited", "no step of the case is held for the choice of a revision"
    INVALID_REVISION = "invalid_revision", "no revision has such a name"
    REVISION_NOT_OFFERED = "revision_not_offered", "the chosen revision is none of those that may be meant"
    UNDONE_BY_OTHERS = "undone_by_others", "somebody else took away what was done: it is put back"
    FOUGHT_OVER = "fought_over", "somebody else took away three times in a day what was done: a person has to decide"
    REJECTED_BY_PERSON = "rejected_by_person", "a person rejected the plan: the same finding asks for no other"
    AT_REST = "at_rest", "the case is closed: nothing to resume"
    HEARTBEAT = "heartbeat", "a heartbeat: the way is open"
    SWEPT = "swept", "unfinished cases were looked for"
    CONFIG_AS_MADE = "config_as_made", "what sends findings here is as it was made"
    CONFIG_CHANGED = "config_changed", "somebody changed or removed what sends findings here"
    CONFIG_UNREAD = "config_unread", "the responder may not read what sends findings here"
    GATHERED = "gathered", "more notices came for a route than it is told one by one: a digest tells of them"
    NOTICE_WAITS = "notice_waits", "a receiver did not take a notice: a sweep tries again"
    NOTICE_UNDELIVERABLE = "notice_undeliverable", "a receiver takes a notice no more: `notify list` shows it"
    ADDRESS_UNREADABLE = "address_unreadable", "the file with a receiver's address could not be read"
    LOOKED = "looked", "what was contained was looked at, where that was due"
    STILL_CONTAINED = "still_contained", "a look found what was done as it was left"
    NOT_LOOKED = "not_looked", "a look could not be made, and is tried again"
    DEPLOYED_SINCE = "deployed_since", "somebody deployed since: it may be the mend, and is left alone"
    TRAFFIC_MOVED = "traffic_moved", "somebody gave requests to another revision of before: it is left alone"
    STARTED_AGAIN = "started_again", "another execution of the job runs the image: a person has to stop it"
    INSTANCES_RUN = "instances_run", "instances of what was retired, or scaled to zero, still run"
    NOT_ASKED = "not_asked", "a look makes four requests at most: this one was left out"
    ONLY_IN_CONTAINER = "only_in_container", "only a container of ours in the pod could tell"
    CHANGE_NOT_KEPT = "change_not_kept", "the record is too large to keep the change, which a look goes by"
    INTERNAL_ERROR = "internal_error", "a fault of ours"
    OUT_OF_TIME = "out_of_time", "no time left: the next delivery does the rest"
    # The stores of cases, limits and switches.
    ALREADY_EXISTS = "already_exists", "the entry is there already"
    CONFLICT = "conflict", "another writer was first"
    INVALID_KEY = "invalid_key", "no key that a store takes"
    INVALID_LIMIT = "invalid_limit", "no number of entries that a store reads"
    VALUE_TOO_LARGE = "value_too_large", "larger than what a store takes"
    STORE_UNAVAILABLE = "store_unavailable", "the store did not do it; nothing was written"
    STORE_OUTCOME_UNKNOWN = "store_outcome_unknown", "the store did not answer: it may have been written"
    ENTRY_LOST = "entry_lost", "what was written is not there"
    LEDGER_CONTENDED = "ledger_contended", "other writers changed the ledger of limits at each try"
    LEDGER_FULL = "ledger_full", "the ledger of limits has no room left until some of it is over", _PASSES
    LEDGER_UNAVAILABLE = "ledger_unavailable", "the ledger of limits could not be read or written"
    LEDGER_UNUSABLE = "ledger_unusable", "the stored ledger of limits makes no sense"
    # Calls to clusters and Google Cloud.
    BAD_REQUEST = "bad_request", "the API server does not take the request"
    KUBERNETES_UNAUTHENTICATED = "kubernetes_unauthenticated", "the API server does not take our token"
    KUBERNETES_FORBIDDEN = "kubernetes_forbidden", "RBAC does not grant it"
    NOT_FOUND = "not_found", "there is no such object"
    NO_SUCH_RESOURCE = "no_such_resource", "the API server knows no such kind or path"
    GONE = "gone", "the list went on too long: it has to begin anew"
    TOO_LARGE = "too_large", "larger than what is taken"
    INVALID = "invalid", "the API server does not take the object"
    THROTTLED = "throttled", "too many requests"
    ADMISSION_DENIED = "admission_denied", "an admission policy of the cluster refused it", _ADMISSION
    ADMISSION_WEBHOOK_DENIED = "admission_webhook_denied", "an admission webhook of the cluster refused it", _ADMISSION
    GKE_WARDEN_DENIED = "gke_warden_denied", "GKE's own admission refused it: the object is Google's", _ADMISSION, _HAND
    QUOTA_EXCEEDED = "quota_exceeded", "a resource quota of the namespace lets no more of it be made"
    NAMESPACE_TERMINATING = "namespace_terminating", "the namespace is being deleted: nothing can be made there"
    ADMISSION_OLDER = "admission_older", "the cluster has the admission policy of an earlier version: apply this one's"
    OBJECT_FULL = "object_full", "the object is as large as the cluster stores: it takes no change but deletion", _HAND
    CLUSTER_PAUSED = "cluster_paused", "the cluster's owner lets nothing be changed there now"
    CLUSTER_NOT_ONBOARDED = "cluster_not_onboarded", "the cluster refuses everything, and was never read before"
    CLUSTER_ACCESS_LOST = "cluster_access_lost", "the cluster refuses everything, and was read before"
    REDIRECT_REFUSED = "redirect_refused", "the server sent us elsewhere; that is never followed"
    SERVER_ERROR = "server_error", "the server failed"
    UNEXPECTED_STATUS = "unexpected_status", "an HTTP status that this API has no use for"
    OVERSIZE_ANSWER = "oversize_answer", "an answer larger than what is read"
    UNUSABLE_ANSWER = "unusable_answer", "an answer that makes no sense", _LASTING
    PARTIAL_LIST = "partial_list", "only a part of the list came", _LASTING
    DIGEST_UNKNOWN = "digest_unknown", "nothing says which image a tag stood for"
    INVALID_NAME = "invalid_name", "no name that can be asked for", _LASTING, _BEYOND
    UNKNOWN_KIND = "unknown_kind", "no workload kind of Kubernetes itself", _LASTING
    OWNER_REPLACED = "owner_replaced", "the pod's owner is another object of the same name"
    ACTS_AS_NODE = (
        "acts_as_node",
        "the pod has no identity of its own in Google Cloud: it acts as its node does",
        _LASTING,
    )
    WORKLOAD_POOL_NOT_KNOWN = (
        "workload_pool_not_known",
        "nothing says in which pool the service account has its identity in Google Cloud",
        _LASTING,
    )
    DEADLINE = "deadline", "reading took too long", _UNREAD
    TIMEOUT = "timeout", "no answer in time"
    CLUSTER_BUSY = "cluster_busy", "it has half of this instance, or its share beside others that do not answer"
    CLUSTER_UNREACHABLE = "cluster_unreachable", "no connection to the API server"
    UNTRUSTED_CERTIFICATE = "untrusted_certificate", "the API server's certificate is not the cluster's"
    ENDPOINT_FORBIDDEN = "endpoint_forbidden", "IAM does not grant this way to the cluster"
    UNUSABLE_SERVER = "unusable_server", "the API server's address is none"
    UNUSABLE_CERTIFICATE = "unusable_certificate", "the certificate authority is none"
    CLUSTER_NOT_FOUND = "cluster_not_found", "there is no such cluster", _BEYOND
    MALFORMED_CLUSTER_NAME = "malformed_cluster_name", "no cluster can have this name", _BEYOND
    CLUSTER_ENDPOINT_PRIVATE = "cluster_endpoint_private", "its address is private; there is no VPC egress", _BEYOND
    CONNECT_GATEWAY_OFF = "connect_gateway_off", "only Connect Gateway leads there; it is switched off", _BEYOND
    NO_REACHABLE_ENDPOINT = "no_reachable_endpoint", "no way leads to the API server", _BEYOND
    NO_CLUSTER_AUTHORITY = "no_cluster_authority", "GKE names no certificate authority for the address", _BEYOND
    NO_CREDENTIALS = "no_credentials", "no credentials were found"
    TOKEN_UNAVAILABLE = "token_unavailable", "the server of tokens did not answer"
    TOKEN_REFUSED = "token_refused", "no token was given for our credentials"
    TOKENINFO = "tokeninfo_{}", "Google did not tell whose token it is"
    CERTIFICATES_UNAVAILABLE = "certificates_unavailable", "Google's certificates for ID tokens were not to be had"
    BUCKET_NOT_FOUND = "bucket_not_found", "there is no such bucket"
    STORAGE = "storage_{}", "Cloud Storage refused or failed"
    EVIDENCE_FORBIDDEN = "evidence_forbidden", "IAM does not let evidence be stored"
    EVIDENCE_UNAVAILABLE = "evidence_unavailable", "evidence could not be stored"
    SCC = "scc_{}", "Security Command Center refused or failed: the gRPC code"
    GKE = "gke_{}", "the GKE API refused or failed: the gRPC code"
    FIRESTORE = "firestore_{}", "Firestore refused or failed: the gRPC code"
    CLOUD_RUN = "cloud_run_{}", "Cloud Run's API refused or failed: the gRPC code", _UNREAD
    MONITORING = "monitoring_{}", "Cloud Monitoring refused or failed: the gRPC code"
    LOGGING = "logging_{}", "Cloud Logging refused or failed: the gRPC code"
    PUBSUB = "pubsub_{}", "Pub/Sub refused or failed: the gRPC code"
    ARTIFACT_REGISTRY = (
        "artifact_registry_{}",
        "Artifact Registry refused or failed, or what it gave is not what was asked for",
    )
    ESSENTIAL_CONTACTS = "essential_contacts_{}", "Essential Contacts refused or failed: by which status, or how"
    RECEIVER = "receiver_{}", "who was to get a notice did not take it: by which status, or why nobody answered"
    KMS = "kms_{}", "Cloud KMS refused or failed: the gRPC code, or what is wrong with its answer"
    SIGNING_KEY_UNUSABLE = "signing_key_unusable", "the local key that signs evidence cannot be used"
    NO_SIGNING_KEY = "no_signing_key", "settings name no key that signs evidence"
    NOT_READ = "not_read", "a snapshot was taken without it"
    NOT_IN_SNAPSHOT = "not_in_snapshot", "a snapshot does not have it"
    READ_ONLY = "read_only", "a snapshot cannot be changed"
    # The target, and whether it is the finding's.
    NO_POD = "no_pod", "no pod was read"
    POD_NOT_NAMED = "pod_not_named", "the finding names no pod"
    SEVERAL_PODS = "several_pods", "the finding names several pods"
    CLUSTER_NOT_NAMED = "cluster_not_named", "the finding names a pod, but no cluster"
    CLUSTER_NOT_REACHED = "cluster_not_reached", "there is no way to the cluster"
    POD_UNREADABLE = "pod_unreadable", "the pod could not be read"
    TARGET_ABSENT = "target_absent", "the pod is gone, or the node, or the service or job of Cloud Run"
    ALL_CHECKS_HELD = "all_checks_held", "finding and pod agree in all they say"
    RESTARTED = "restarted", "finding and pod agree; the finding's process is gone, as the container was started again"
    POD_REPLACED = "pod_replaced", "the pod is younger than the finding", _HAND
    POD_ON_OTHER_NODE = "pod_on_other_node", "the pod runs on another node than the finding says", _HAND
    CONTAINER_NOT_IN_POD = "container_not_in_pod", "the pod has no such container", _HAND
    IMAGE_DIFFERS = "image_differs", "the container runs another image", _HAND
    CONTAINER_START_DIFFERS = "container_start_differs", "the container started at another time", _HAND
    CREATED_TOO_CLOSE = "created_too_close", "pod and container began within a second: perhaps a replacement", _HAND
    NODE_ABSENT = "node_absent", "the node is gone, or finding or pod names none"
    CONTAINER_ABSENT = "container_absent", "the finding names no container"
    IMAGE_ABSENT = "image_absent", "finding or pod tells no image digest"
    STARTED_ABSENT = "started_absent", "finding or pod tells no start of the container"
    STARTED_UNREPORTED = "started_unreported", "no kubelet reports the container: the pod waits, or was evicted"
    STARTED_RESTARTED = "started_restarted", "the container was started again since"
    NO_NODE = "no_node", "no node was read"
    NODE_REPLACED = "node_replaced", "the node is younger than the event, or another of its name", _HAND
    NODE_CREATED_ABSENT = "node_created_absent", "nothing tells when the node was made"
    SERVICE_NOT_NAMED = "service_not_named", "the finding names no service or job of Cloud Run"
    SERVICE_UNREADABLE = "service_unreadable", "the service or job of Cloud Run could not be read"
    SERVICE_DELETING = "service_deleting", "the service or job of Cloud Run is being deleted"
    SERVICE_REPLACED = "service_replaced", "the service of Cloud Run is younger than the finding", _HAND
    JOB_REPLACED = "job_replaced", "the job of Cloud Run is younger than the finding", _HAND
    CREATED_ABSENT = "created_absent", "nothing tells when service, job, revision or execution was made"
    REVISION_CHOSEN = "revision_chosen", "a person chose the revision"
    REVISION_NAMED = "revision_named", "the finding names the revision"
    REVISION_BY_DIGEST = "revision_by_digest", "the revision that runs the finding's image"
    REVISION_BY_TRAFFIC = "revision_by_traffic", "the only revision that may be meant and carries traffic"
    REVISION_GONE = "revision_gone", "the service has the revision no more, or none with the finding's image"
    REVISION_NOT_KNOWN = "revision_not_known", "neither finding nor traffic says which revision is meant"
    REVISION_REPLACED = "revision_replaced", "the revision is younger than the finding", _HAND
    SEVERAL_REVISIONS = "several_revisions", "several revisions may be meant: a person has to choose"
    NO_SAFE_REVISION = "no_safe_revision", "no ready revision is older and runs none of the compromised one's images"
    CLOUD_RUN_NOT_REACHED = "cloud_run_not_reached", "this deployment reaches no API of Cloud Run"
    EXECUTION_NAMED = "execution_named", "the finding names the execution"
    EXECUTION_BY_TIME = "execution_by_time", "the only execution that may be meant and ran at the event"
    EXECUTION_GONE = "execution_gone", "the job has the execution no more", _HAND
    EXECUTION_NOT_KNOWN = "execution_not_known", "neither finding nor time says which execution is meant"
    EXECUTION_REPLACED = "execution_replaced", "the execution is younger than the finding", _HAND
    SEVERAL_EXECUTIONS = "several_executions", "several executions ran at the event"
    OTHER_EXECUTIONS_RUN = (
        "other_executions_run",
        "the execution has ended, and others of its job run the image: a person has to cancel them",
        _HAND,
    )
    # What policies make of it.
    MATCHED = "matched", "the policy applies"
    NO_POLICY_MATCHED = "no_policy_matched", "no policy applies"
    MODE_DISABLED = "mode_disabled", "the policy is disabled"
    ANSWERED_BY_OTHERS = "answered_by_others", "another policy applies, and this one takes what no other does"
    WHEN_DIFFERS = "when_{}_differs", "a condition of `when` does not hold"
    WHEN_MISSING = "when_{}_missing", "what a condition of `when` is about is not known", _MISSING
    UNLESS_MISSING = "unless_{}_missing", "what a condition of `unless` is about is not known", _MISSING
    UNLESS = "unless_{}", "a condition of `unless` holds"
    CONDITION_DIFFERS = "condition_differs", "the `condition` does not hold"
    CONDITION_ERROR = "condition_error", "the `condition` could not be evaluated"
    CONDITION_TOO_LARGE = "condition_too_large", "the `condition` walks more items than it may"
    CONDITION_MISSING = "condition_{}_missing", "what the `condition` is about is not known", _MISSING
    PLANNED = "planned", "it is going to be done"
    SKIPPED = "skipped", "there is nothing to do"
    HELD = "held", "it may not be done"
    WAITING = "waiting", "it waits for a person"
    # What actions make of it.
    ALREADY_ANNOTATED = "already_annotated", "the pod has the annotations", _ALREADY
    ALREADY_LABELED = "already_labeled", "the pod has the labels", _ALREADY
    ALREADY_CORDONED = "already_cordoned", "the node takes no new pods", _ALREADY
    NODE_UNREADABLE = "node_unreadable", "the node could not be read", _UNREAD
    NODE_NOT_KNOWN = "node_not_known", "neither finding nor pod names a node"
    POD_STATIC = "pod_static", "a static pod: the kubelet would start it again", _HAND
    POD_STANDALONE = "pod_standalone", "nothing would make the pod anew"
    POD_DAEMONSET = "pod_daemonset", "a DaemonSet's pod: its node would be without it", _HAND
    POD_STATEFULSET = "pod_statefulset", "a StatefulSet's pod: its name stays taken: no replacement would come", _HAND
    POD_JOB = "pod_job", "a Job's pod: the Job would do its work anew beside it", _HAND
    POD_OTHER_OWNER = "pod_other_owner", "whether the pod's owner would make another beside it is not known", _HAND
    NO_SELECTOR_LABELS = "no_selector_labels", "the owner selects the pod by no label that can be taken away", _HAND
    ALREADY_INTERNAL = "already_internal", "nobody outside reaches the service", _ALREADY
    ALREADY_AT_ZERO = "already_at_zero", "the service may have no instance", _ALREADY
    NO_PUBLIC_INVOKERS = "no_public_invokers", "the service's own IAM policy lets nobody in but who is named", _ALREADY
    IAM_POLICY_UNREAD = "iam_policy_unread", "who may invoke the service could not be read", _UNREAD
    ALREADY_RETIRED = "already_retired", "no request reaches the revision", _ALREADY
    ALREADY_RESTARTED = "already_restarted", "the revision is one of ours, made after the event", _ALREADY
    REVISION_LATEST = (
        "revision_latest",
        "the revision was made last, and Cloud Run keeps that one: deploy another before",
    )
    REVISION_SERVED = "revision_served", "the service's traffic names the revision, by a share or by a tag"
    TRAFFIC_PINNED = "traffic_pinned", "requests go to a revision by its name: a new one would get none"
    TEMPLATE_DIFFERS = (
        "template_differs",
        "the template is not the serving revision's: a new one would run something else",
    )
    EXECUTION_ENDED = "execution_ended", "the execution has ended: no task of it runs", _ALREADY
    ALREADY_DETACHED = "already_detached", "the pod has left its workload", _ALREADY
    IDENTITY_NOT_PROVED = "identity_not_proved:{}", "the pod may be another than the finding's", _HAND
    # What guardrails, limits and the kill switch hold.
    MODE_NOT_RAISED = "mode_not_raised", "the namespace could not be read, whose labels may raise the mode", _MISSING
    MODE_LOWERED_BY = "mode_lowered_by:{}", "a ceiling, or `control`, the kill switch, also by `_policy` or the like"
    MODE_DISABLED_BY_GUARDRAILS = "mode_disabled_by_guardrails", "a ceiling lets nothing be done here and now"
    GOOGLE_AGENT_POD = "google_agent_pod", "one of Google's own agents", _HAND
    GOOGLE_AGENT_PRINCIPAL = "google_agent_principal", "the doing of one of Google's own agents", _HAND
    OWN_SERVICE = "own_service", "the responder's own service, which is never changed", _HAND
    WORKER_POOL = "worker_pool", "a worker pool of Cloud Run: evidence and notice only", _HAND
    MANAGED_BY = "managed_by:{}", "another product deploys the service, and undoes it: evidence and notice only", _HAND
    SERVICE_NOT_LISTED = "service_not_listed", "settings do not list the service or job: evidence and notice only"
    NO_RUN_WRITER = "no_run_writer", "no identity is set that may change Cloud Run: evidence and notice only"
    CLUSTER_PROTECTED = "cluster_protected", "guardrails protect the cluster"
    LOCATION_PROTECTED = "location_protected", "guardrails protect the location"
    SERVICE_PROTECTED = "service_protected", "guardrails protect the service or job of Cloud Run"
    NAMESPACE_PROTECTED = "namespace_protected", "guardrails protect the namespace"
    WORKLOAD_PROTECTED = "workload_protected", "guardrails protect the workload"
    NODE_PROTECTED = "node_protected", "guardrails protect the node"
    PRINCIPAL_PROTECTED = "principal_protected", "guardrails protect who did it"
    EXEMPT = "exempt:{}", "an exemption of the guardrails, or the case by which a person made one"
    CLUSTER_UNREAD = "cluster_unread", "the cluster is not known; it may be a protected one", _UNREAD
    WORKLOAD_UNREAD = "workload_unread", "the pod's owner could not be read", _UNREAD
    PRINCIPAL_UNREAD = "principal_unread", "who did it is not known; it may be a protected one", _UNREAD
    BUDGETS_UNREAD = "budgets_unread", "the pod's disruption budgets could not be read", _UNREAD
    VOLUMES_UNREAD = "volumes_unread", "what a second pod cannot have beside this one could not be read", _UNREAD
    NODE_POOL_UNREAD = "node_pool_unread", "the nodes of the pool could not be read", _UNREAD
    CONTRADICTION = "contradiction:{}", "the finding contradicts itself in this field", _HAND
    THREAT_UNKNOWN = "threat_unknown", "the catalogue does not have the finding's category", _HAND
    IDENTITY_UNKNOWN = "identity_unknown:{}", "nothing says that the pod is the finding's", _HAND
    FINDING_TOO_OLD = "finding_too_old", "older than what guardrails let be acted on", _YIELDS
    JOB_WOULD_FAIL = "job_would_fail", "the Job has no retry left: without this pod it fails", _HAND
    LAST_READY_REPLICA = "last_ready_replica", "the workload's last ready pod"
    DISRUPTION_BUDGET = "disruption_budget", "the pod's disruption budget allows none"
    SEVERAL_DISRUPTION_BUDGETS = "several_disruption_budgets", "several disruption budgets select the pod"
    HOST_PORTS = "host_ports", "the pod keeps ports of its node, which a replacement needs"
    VOLUME_IN_USE = "volume_in_use", "the pod keeps a volume for one node, or one pod, alone, which a replacement needs"
    NODE_POOL_UNHEALTHY = "node_pool_unhealthy", "a quarter of the pool takes no pods already"
    LAST_SCHEDULABLE_NODE = "last_schedulable_node", "the last node of its pool or zone that takes pods"
    LIMIT = "limit_{}", "as many as the limit of this scope allows were disrupted", _YIELDS, _PASSES
    LAST_SERVING_POD = "last_serving_pod", "no other pod of the workload is ready and not cut off"
    STORM_BREAKER = "storm_breaker", "too much at once: the breaker of this scope tripped", _YIELDS, _PASSES
    WARMING_UP = "warming_up", "its policy is new here: what cannot be undone waits a while, then a sweep goes on"
    FIRST_SHOT_TOO_WIDE = (
        "first_shot_too_wide",
        "its policy is new here, and would disrupt more at once than a limit allows: none of it is done",
        _YIELDS,
    )
    ERROR_BUDGET_SPENT = (
        "error_budget_spent",
        "people called acts of the policy wrong: it asks a person first, until one raises it",
    )
    WAITS_FOR_PERSON = "waits_for_person", "it cannot be undone: no sweep goes on with it, a person may", _YIELDS
    HELD_TOO_MANY = (
        "held_too_many",
        "more is held for one policy than a limit lets be done at once: a person has to go on",
    )
    CONTROL_DISABLED = "control_disabled", "the kill switch lets nothing be done"
    CONTROL_MISSING = "control_missing", "nobody ever set the kill switch: dry run"
    CONTROL_UNUSABLE = "control_unusable", "the kill switch's document makes no sense: dry run"
    CONTROL_UNREADABLE = "control_unreadable", "the kill switch could not be read"
    CONTROL_CONTENDED = "control_contended", "others changed the kill switch at each try"
    CONTROL_FULL = "control_full", "too many ceilings or exemptions stand that end by themselves"
    # Approval, and who asks.
    WAITING_FOR_APPROVAL = "waiting_for_approval", "a person has to approve it"
    APPROVED = "approved", "approved: it is carried out now"
    APPROVAL_NOTED = "approval_noted", "noted; more people have to approve"
    ALREADY_APPROVED = "already_approved", "the same person approved before"
    APPROVAL_RESUMED = (
        "approval_resumed",
        "an approved case is resumed, after a crash or where a limit held a part of it",
    )
    APPROVAL_USED = "approval_used", "the plan was carried out, or is being"
    APPROVAL_REJECTED = "approval_rejected", "a person rejected the plan"
    APPROVAL_EXPIRED = "approval_expired", "nobody answered in time"
    NOT_EXPIRED = "not_expired", "there is still time to answer"
    NOT_WAITING = "not_waiting", "no plan waits for an answer"
    PLAN_DIGEST_DIFFERS = "plan_digest_differs", "the answer is to another plan"
    PLAN_TOO_LARGE = "plan_too_large", "the plan is too large to be stored"
    LESSER_APPROVED = "lesser_approved", "people approved the plan without what cannot be undone"
    APPROVED_NOT_BEGUN = "approved_not_begun", "approved, but never reached"
    ENFORCED_BY_OTHER_POLICY = "enforced_by_other_policy", "a policy that enforces does it anyway"
    APPROVAL_VOID_STEP_ASKED = "approval_void_step_asked", "a person asked for another step since"
    APPROVAL_VOID_MODE_LOWERED = "approval_void_mode_lowered", "a mode was lowered since the plan was made"
    APPROVAL_VOID_TARGET_CHANGED = "approval_void_target_changed", "the target is another one by now"
    APPROVAL_VOID_PLAN_CHANGED = "approval_void_plan_changed", "another plan would be made by now"
    APPROVAL_VOID_REVISION_CHOSEN = "approval_void_revision_chosen", "a person chose the revision after the answer"
    APPROVAL_VOID_FINDING_CHANGED = "approval_void_finding_changed", "the finding came to its end meanwhile"
    MALFORMED_ANSWER = "malformed_answer", "the request is no answer to a plan"
    NOT_FROM_THIS_MACHINE = "not_from_this_machine", "without a token only this machine may ask"
    APPROVAL_NOT_CONFIGURED = "approval_not_configured", "nobody may approve: there is no audience for tokens"
    APPROVER_NOT_LISTED = "approver_not_listed", "guardrails do not list who asks as an approver"
    NOT_THE_CONSOLE = "not_the_console", "who hands a person's answer on is not the console that settings name"
    NO_ASSERTION = "no_assertion", "the console asks without the assertion of a person whom IAP let in"
    SWEEP_NOT_CONFIGURED = "sweep_not_configured", "nobody may ask for a sweep: no address is set"
    NOT_THE_SWEEPER = "not_the_sweeper", "who asks may not have a sweep"
    NO_TOKEN = "no_token", "the request has no bearer token"
    TOKEN_MALFORMED = "token_malformed", "no Google ID token"
    TOKEN_SIGNATURE_REMOVED = "token_signature_removed", "the token that Cloud Run checked; send one for us"
    TOKEN_WRONG_AUDIENCE = "token_wrong_audience", "the token is for another service"
    TOKEN_EXPIRED = "token_expired", "the token is over"
    TOKEN_NOT_VERIFIED = "token_not_verified", "the token's signature does not hold"
    TOKEN_WRONG_ISSUER = "token_wrong_issuer", "the token is not Google's"
    TOKEN_WITHOUT_EMAIL = "token_without_email", "the token has no e-mail address"
    EMAIL_NOT_VERIFIED = "email_not_verified", "Google did not verify the e-mail address"
    # The page in the browser, and who asks there.
    FOREIGN_HOST = "foreign_host", "a request under another name than the console's own address"
    FOREIGN_ORIGIN = "foreign_origin", "a form of another site, or of a browser that does not say whose it is"
    NOT_A_FORM = "not_a_form", "a request that no form of the console sends"
    FORM_TOO_LARGE = "form_too_large", "more text than a form takes"
    FORM_FORGED = "form_forged", "the console made no such form for this person in this browser"
    FORM_TOO_OLD = "form_too_old", "the form was looked at for longer than 15 minutes"
    FORM_STALE = "form_stale", "the case is not any more what the form was made for"
    NOT_SIGNED_IN = "not_signed_in", "the browser does not say who asks"
    # What came of a step.
    DONE = "done", "carried out, and read back"
    DRY_RUN = "dry_run", "rehearsed"
    PATCHED = "patched", "the object was changed, and read back"
    UNDONE = "undone", "a person took it back, and it was read back"
    ALREADY_UNDONE = "already_undone", "what a person took back was gone already", _ALREADY
    UNDO_REFUSED = "undo_refused", "it is not taken back: somebody changed it since, or nothing shows that it is ours"
    CANNOT_BE_UNDONE = "cannot_be_undone", "nothing takes it back", _HAND
    NOTHING_TO_UNDO = "nothing_to_undo", "no step of the case stands that could be taken back"
    ARMED = "armed", "the pod is marked for deletion"
    ISOLATED = "isolated", "a network policy stops new connections of the pod; established ones may go on"
    DETACHED = "detached", "the pod has left its workload: no controller has it, and no Service sends to it"
    STILL_OWNED = "still_owned", "a controller still has the pod, or has it again"
    STILL_SENT_TO = "still_sent_to", "a Service that selects by other labels still sends to the pod"
    SERVICES_UNREAD = "services_unread", "which Services still send to the pod could not be read"
    PROCESSES_ENDED = "processes_ended", "the deletion was accepted, and every process of the pod has ended"
    DELETED = "deleted", "the pod is gone, and its processes have ended or had all of their grace period to"
    BUDGET_AWAITED = "budget_awaited", "the pod's disruption budget allows none now: a sweep tries the eviction again"
    DELETION_AWAITED = "deletion_awaited", "the deletion was accepted; a sweep looks again after the grace period"
    CAPTURED = "captured", "evidence is stored"
    PUBLISHED = "published", "people were told"
    ALREADY = "already", "it was so already", _ALREADY
    ACCESS_CUT = "access_cut", "fewer may reach the service, as read back"
    ACCESS_RESTORED = "access_restored", "the same may reach the service as before"
    STILL_INVOKED = "still_invoked", "anyone may still invoke the service, or again"
    NOT_REHEARSED = "not_rehearsed", "the permission is there; the API has no rehearsal of this change"
    SCALED_TO_ZERO = (
        "scaled_to_zero",
        "the service may have no instance, as read back; what runs ends with its requests",
    )
    SCALING_RESTORED = "scaling_restored", "the service may have as many instances as before"
    ROLLED_BACK = "rolled_back", "the requests go to a safe revision, and none to the compromised one, as read back"
    TRAFFIC_RESTORED = "traffic_restored", "the requests go where they went before"
    STILL_SERVED = "still_served", "the service still gives requests to the revision, or not to those it should"
    SERVICE_CHANGED = "service_changed", "somebody changed the same settings of the service since it was planned", _ANEW
    SERVICE_DEPLOYED = "service_deployed", "somebody deployed to the service since it was planned", _ANEW
    RECONCILING = "reconciling", "Cloud Run accepted the change, and has not carried it out yet: read again later"
    RECONCILIATION_FAILED = "reconciliation_failed", "Cloud Run accepted the change, and could not carry it out"
    REVISION_DELETED = "revision_deleted", "the revision is gone, as read back"
    SERVICE_RESTARTED = "service_restarted", "a new revision of the same template gets all requests, as read back"
    EXECUTION_CANCELLED = "execution_cancelled", "the execution was cancelled, and no task of it runs, as read back"
    WOULD_DELETE_REVISION = "would_delete_revision", "rehearsed: the revision would be deleted"
    WOULD_CANCEL_EXECUTION = "would_cancel_execution", "rehearsed: the execution would be cancelled"
    WOULD_UPDATE_SERVICE = "would_update_service", "rehearsed: the service would be changed"
    WOULD_PATCH = "would_patch", "rehearsed: the object would be changed"
    WOULD_ISOLATE = "would_isolate", "rehearsed: the pod would be isolated"
    WOULD_UNDO = "would_undo", "rehearsed: it would be taken back"
    WOULD_DETACH = "would_detach", "rehearsed: the pod would leave its workload"
    WOULD_DELETE = "would_delete", "rehearsed: the pod would be deleted"
    WOULD_CAPTURE = "would_capture", "version 0.1: rehearsed, evidence would be stored"
    WOULD_PUBLISH = "would_publish", "version 0.1: rehearsed, people would be told"
    GONE_AFTER_INTENT = "gone_after_intent", "the pod is gone; whether by us nobody can tell"
    GONE_BY_OTHER = "gone_by_other", "the object went before the step"
    DELETED_MEANWHILE = "deleted_meanwhile", "a deletion by this case, or for another finding, came before the step"
    UNSETTLED = "unsettled", "the target kept changing while we tried"
    TARGET_REPLACED = "target_replaced", "another object has its name by now", _HAND
    TERMINATING = "terminating", "the grace period is over, and the pod's processes are not known to have ended"
    OVERRIDDEN = "overridden", "done before, and undone by another"
    NOT_ARMED = "not_armed", "the mark for deletion is gone"
    NOT_VERIFIED = "not_verified", "it was changed back right after"
    NAME_TAKEN = "name_taken", "a network policy of another origin has the name"
    LABEL_REMOVED = "label_removed", "the label that the network policy selects is gone"
    NETWORK_POLICY_REMOVED = "network_policy_removed", "the network policy that isolated the pod is gone, or another"
    ATTACHED_AGAIN = "attached_again", "the pod has the labels again by which its workload selects it"
    UNCORDONED = "uncordoned", "the node takes new pods again"
    SERVED_AGAIN = "served_again", "the service gives requests to the compromised revision, or its images, again"
    ACCESS_OPENED = "access_opened", "more callers may reach the service again"
    SCALED_UP = "scaled_up", "the service may have instances again"
    BYPASSED_BY = "bypassed_by", "another network policy still allows traffic"
    NOT_ENFORCED = "not_enforced", "nothing enforces network policies there", _HAND
    HOST_NETWORK = "host_network", "the pod is on its node's network, which no network policy holds", _HAND
    WINDOWS_NODE = "windows_node", "the pod runs on Windows, where nothing enforces network policies", _HAND
    FURTHER_INTERFACES = "further_interfaces", "the pod has network interfaces that no policy of ours holds", _HAND
    ENFORCEMENT_UNKNOWN = "enforcement_unknown", "nothing shows that the network policy holds: perhaps none is enforced"
    NOT_POSSIBLE_AUTOPILOT = "not_possible_autopilot", "the nodes of Autopilot are Google's", _HAND
    INSTANCES_LEFT = "instances_left", "evidence is stored; instances of the revision still ran after the change"
    CAPTURED_UNSIGNED = "captured_unsigned", "evidence is stored, but its manifest is not signed yet"
    CAPTURED_WITHOUT_EVENTS = "captured_without_events", "evidence is stored, but for the pod's events"
    CAPTURED_WITHOUT_LOGS = "captured_without_logs", "evidence is stored, but for the logs of the pod's containers"
    NODE_NOT_ANSWERING = "node_not_answering", "the pod's node does not give out its logs"
    CAPTURED_IN_PART = "captured_in_part", "evidence is stored, but for a source that is required"
    WOULD_INSERT = "would_insert", "rehearsed: a container of ours would be put into the pod"
    POD_NOT_RUNNING = "pod_not_running", "the pod is ending or does not run: no container can be put in any more"
    NO_COLLECTOR_IMAGE = "no_collector_image", "settings name no image of the collector", _LEFT_OUT
    COLLECTOR_REFUSED = "collector_refused", "the cluster's admission lets in no form of our container"
    NO_EPHEMERAL_CONTAINERS = "no_ephemeral_containers", "the cluster lets no container be put into a running pod"
    COLLECTOR_KEY_GONE = "collector_key_gone", "our container cannot be read: its key is gone, or is not the case's"
    COLLECTOR_NOT_STARTED = "collector_not_started", "our container was put in, and did not begin in time"
    IMAGE_NOT_PULLED = "image_not_pulled", "the node could not get the collector's image"
    INSPECTED = "inspected", "looked into the container: what the finding names there is kept"
    INSPECTED_GONE = "inspected_gone", "looked into the container: the finding's files are gone, and nothing runs them"
    INSPECTED_IN_PART = "inspected_in_part", "looked into the container: not all of what the finding names is kept"
    ANSWER_TRUNCATED = "answer_truncated", "our container's answer is not whole: what it does not tell is not known"
    SEVERED = "severed", "every connection of the pod was ended, none is left, and no new one is possible"
    CONNECTIONS_LEFT = "connections_left", "connections of the pod are left that could not be ended"
    CONNECTIONS_UNKNOWN = "connections_unknown", "nobody could see whether connections of the pod are left"
    CONNECTIONS_MAY_RETURN = "connections_may_return", "connections were ended, and nothing keeps new ones away"
    NOT_ISOLATED = "not_isolated", "no network policy of ours isolates the pod now"
    FROZEN = "frozen", "the finding's processes are stopped: they keep their memory, and do nothing"
    NOT_FROZEN = "not_frozen", "a process of the finding could not be stopped"
    FIRST_PROCESS = "first_process", "the finding's process is the first of its container: nothing stops it", _HAND
    NO_PROCESS_MATCHED = "no_process_matched", "no process of the container is the finding's: there is nothing to stop"
    PROCESSES_UNREAD = "processes_unread", "no process is known to be the finding's, and not all could be read"
    OWN_PROCESS_PROBED = "own_process_probed", "stopped, the workload's own process would be restarted by its probe"
    HOST_PROCESSES = "host_processes", "the pod sees every process of its node: nobody tells which are its own"
    UNPROVEN = "unproven", "what was told may be the attacker's word: who told it could be reached by him"
    THAWED = "thawed", "the processes that were stopped go on"
    NOT_THAWED = "not_thawed", "a process that was stopped does not go on"
    NOTHING_FROZEN = "nothing_frozen", "the case stopped no process of the pod", _HAND
    DEFENDS_ITSELF = "defends_itself", "the pod kills or stops what looks at it: that is a finding in itself"
    LOGS_LATER = "logs_later", "Cloud Logging does not answer now, or takes no more requests: a sweep asks again"
    NO_CLOUD_LOGGING = "no_cloud_logging", "this deployment asks no Cloud Logging"
    NO_CLOUD_MONITORING = "no_cloud_monitoring", "this deployment asks no Cloud Monitoring"
    NO_POINTS = "no_points", "Cloud Monitoring has no point of the metric in that time"
    METRICS_BEFORE_CHANGE = "metrics_before_change", "what Cloud Monitoring has was measured before the change"
    NO_IMAGE_REPOSITORIES = "no_image_repositories", "this deployment reads no images' configurations"
    IMAGE_NOT_LISTED = "image_not_listed", "the image is in no repository that settings list"
    NOTHING_TO_ASK = "nothing_to_ask", "the finding names nothing that Cloud Logging could be asked for"
    NO_EVIDENCE_STORE = "no_evidence_store", "settings name no place for evidence"
    NOTIFIER_FAILED = "notifier_failed", "people could not be told"
    NO_OUTCOME_TOPIC = "no_outcome_topic", "settings name no outcome topic"
    NEEDS = "needs_{}", "the action that it needs was not carried out"
    EARLIER_STEP_STOPPED = "earlier_step_stopped", "an earlier step of the policy failed"
    HELD_BEFORE_RESUMED = "held_before_resumed", "held by the time it was resumed"
    POLICY_REMOVED = "policy_removed", "its policy is no more"
    NOT_PLANNED_NOW = "not_planned_now", "stored as begun, but not what is planned now: it was only looked for"
    HELD_OR_FAILED = "held_or_failed", "the responder's own news of what was held or failed"
