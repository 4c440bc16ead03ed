"""Every word that says why: in cases and steps, answers and log lines, and in the errors that end in them.

Each stands here once, with what it means. `{}` stands for a name: `Reason.EXEMPT.of("payments")`.
"""

from __future__ import annotations

from scc_responder.domain.reasons.words import Trait, Word

_ALREADY, _UNREAD, _MISSING, _LASTING = Trait.ALREADY, Trait.UNREAD, Trait.MISSING, Trait.LASTING


class Reason(Word):
    """Why something is so, was done, or was not. Stored: a word is never changed, nor given another meaning."""

    # A message, and whether it is a finding.
    OVERSIZE = "oversize", "too large to parse: the finding is read again by its name"
    OVERSIZE_BODY = "oversize_body", "too large to open"
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
    FINDING_NAME_DIFFERS = "finding_name_differs", "what was read is another finding: perhaps forged"
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
    NO_SUCH_CASE = "no_such_case", "there is no such case"
    RECORD_NEWER = "record_newer", "a later version wrote the case"
    RECORD_UNREADABLE = "record_unreadable", "the stored case makes no sense"
    RESERVED_BY_OPEN_FINDING = "reserved_by_open_finding", "ordinary: another finding is about to do it"
    RESERVED_BY_OTHER_FINDING = "reserved_by_other_finding", "another finding on the same target has done it"
    RESUMED_BY_PERSON = "resumed_by_person", "a person asked that the case be resumed"
    NOT_CONTROL_DISABLED = "not_control_disabled", "the kill switch does not hold the case"
    AT_REST = "at_rest", "the case is closed: nothing to resume"
    HEARTBEAT = "heartbeat", "a heartbeat: the way is open"
    SWEPT = "swept", "unfinished cases were looked for"
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
    LEDGER_FULL = "ledger_full", "the ledger of limits has no room left"
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
    ADMISSION_DENIED = "admission_denied", "an admission policy of the cluster refused it"
    REDIRECT_REFUSED = "redirect_refused", "the server sent us elsewhere; that is never followed"
    SERVER_ERROR = "server_error", "the server failed"
    UNEXPECTED_STATUS = "unexpected_status", "an HTTP status that this API has no use for"
    OVERSIZE_ANSWER = "oversize_answer", "an answer larger than what is read"
    UNUSABLE_ANSWER = "unusable_answer", "an answer that makes no sense", _LASTING
    PARTIAL_LIST = "partial_list", "only a part of the list came", _LASTING
    INVALID_NAME = "invalid_name", "no name that can be asked for", _LASTING, Trait.BEYOND_REACH
    UNKNOWN_KIND = "unknown_kind", "no workload kind of Kubernetes itself", _LASTING
    OWNER_REPLACED = "owner_replaced", "the pod's owner is another object of the same name"
    DEADLINE = "deadline", "reading took too long"
    TIMEOUT = "timeout", "no answer in time"
    CLUSTER_UNREACHABLE = "cluster_unreachable", "no connection to the API server"
    UNTRUSTED_CERTIFICATE = "untrusted_certificate", "the API server's certificate is not the cluster's"
    ENDPOINT_FORBIDDEN = "endpoint_forbidden", "IAM does not grant this way to the cluster"
    UNUSABLE_SERVER = "unusable_server", "the API server's address is none"
    UNUSABLE_CERTIFICATE = "unusable_certificate", "the certificate authority is none"
    CLUSTER_NOT_FOUND = "cluster_not_found", "there is no such cluster", Trait.BEYOND_REACH
    MALFORMED_CLUSTER_NAME = "malformed_cluster_name", "no cluster can have this name", Trait.BEYOND_REACH
    CLUSTER_ENDPOINT_PRIVATE = (
        "cluster_endpoint_private",
        "its address is private; there is no VPC egress",
        Trait.BEYOND_REACH,
    )
    CONNECT_GATEWAY_OFF = (
        "connect_gateway_off",
        "only Connect Gateway leads there; it is switched off",
        Trait.BEYOND_REACH,
    )
    NO_REACHABLE_ENDPOINT = "no_reachable_endpoint", "no way leads to the API server", Trait.BEYOND_REACH
    NO_CLUSTER_AUTHORITY = (
        "no_cluster_authority",
        "GKE names no certificate authority for the address",
        Trait.BEYOND_REACH,
    )
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
    PUBSUB = "pubsub_{}", "Pub/Sub refused or failed: the gRPC code"
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
    TARGET_ABSENT = "target_absent", "the pod is gone"
    ALL_CHECKS_HELD = "all_checks_held", "finding and pod agree in all they say"
    RESTARTED = "restarted", "finding and pod agree; the finding's process is gone, as the container was started again"
    POD_REPLACED = "pod_replaced", "the pod is younger than the finding"
    POD_ON_OTHER_NODE = "pod_on_other_node", "the pod runs on another node than the finding says"
    CONTAINER_NOT_IN_POD = "container_not_in_pod", "the pod has no such container"
    IMAGE_DIFFERS = "image_differs", "the container runs another image"
    CONTAINER_START_DIFFERS = "container_start_differs", "the container started at another time"
    CREATED_TOO_CLOSE = "created_too_close", "pod and container began within a second: perhaps a replacement"
    NODE_ABSENT = "node_absent", "the node is gone, or finding or pod names none"
    CONTAINER_ABSENT = "container_absent", "the finding names no container"
    IMAGE_ABSENT = "image_absent", "finding or pod tells no image digest"
    STARTED_ABSENT = "started_absent", "finding or pod tells no start of the container"
    STARTED_UNREPORTED = "started_unreported", "no kubelet reports the container: the pod waits, or was evicted"
    STARTED_RESTARTED = "started_restarted", "the container was started again since"
    NO_NODE = "no_node", "no node was read"
    NODE_REPLACED = "node_replaced", "the node is younger than the event, or another than before: its name came back"
    NODE_CREATED_ABSENT = "node_created_absent", "nothing tells when the node was made"
    # What policies make of it.
    MATCHED = "matched", "the policy applies"
    NO_POLICY_MATCHED = "no_policy_matched", "no policy applies"
    MODE_DISABLED = "mode_disabled", "the policy is disabled"
    WHEN_DIFFERS = "when_{}_differs", "a condition of `when` does not hold"
    WHEN_MISSING = "when_{}_missing", "what a condition of `when` is about is not known", _MISSING
    UNLESS_MISSING = "unless_{}_missing", "what a condition of `unless` is about is not known", _MISSING
    UNLESS = "unless_{}", "a condition of `unless` holds"
    CONDITION_DIFFERS = "condition_differs", "the `condition` does not hold"
    CONDITION_ERROR = "condition_error", "the `condition` could not be evaluated"
    CONDITION_MISSING = "condition_{}_missing", "what the `condition` is about is not known", _MISSING
    PLANNED = "planned", "it is going to be done"
    SKIPPED = "skipped", "there is nothing to do"
    HELD = "held", "it may not be done"
    WAITING = "waiting", "it waits for a person"
    # What actions make of it.
    ALREADY_ANNOTATED = "already_annotated", "the pod has the annotations", _ALREADY
    ALREADY_LABELED = "already_labeled", "the pod has the labels", _ALREADY
    ALREADY_CORDONED = "already_cordoned", "the node takes no new pods", _ALREADY
    NODE_UNREADABLE = "node_unreadable", "the node could not be read"
    NODE_NOT_KNOWN = "node_not_known", "neither finding nor pod names a node"
    POD_STATIC = "pod_static", "a static pod: the kubelet would start it again"
    POD_STANDALONE = "pod_standalone", "nothing would make the pod anew"
    POD_DAEMONSET = "pod_daemonset", "a DaemonSet's pod: its node would be without it"
    IDENTITY_NOT_PROVED = "identity_not_proved:{}", "the pod may be another than the finding's"
    # What guardrails, limits and the kill switch hold.
    MODE_LOWERED_BY = "mode_lowered_by:{}", "a ceiling, or `control`, the kill switch"
    MODE_DISABLED_BY_GUARDRAILS = "mode_disabled_by_guardrails", "a ceiling lets nothing be done here and now"
    GOOGLE_AGENT_POD = "google_agent_pod", "one of Google's own agents"
    GOOGLE_AGENT_PRINCIPAL = "google_agent_principal", "the doing of one of Google's own agents"
    CLUSTER_PROTECTED = "cluster_protected", "guardrails protect the cluster"
    NAMESPACE_PROTECTED = "namespace_protected", "guardrails protect the namespace"
    WORKLOAD_PROTECTED = "workload_protected", "guardrails protect the workload"
    NODE_PROTECTED = "node_protected", "guardrails protect the node"
    PRINCIPAL_PROTECTED = "principal_protected", "guardrails protect who did it"
    EXEMPT = "exempt:{}", "an exemption of the guardrails"
    CLUSTER_UNREAD = "cluster_unread", "the cluster is not known; it may be a protected one", _UNREAD
    WORKLOAD_UNREAD = "workload_unread", "the pod's owner could not be read", _UNREAD
    PRINCIPAL_UNREAD = "principal_unread", "who did it is not known; it may be a protected one", _UNREAD
    BUDGETS_UNREAD = "budgets_unread", "the pod's disruption budgets could not be read", _UNREAD
    NODE_POOL_UNREAD = "node_pool_unread", "the nodes of the pool could not be read", _UNREAD
    CONTRADICTION = "contradiction:{}", "the finding contradicts itself in this field"
    THREAT_UNKNOWN = "threat_unknown", "the catalogue does not have the finding's category"
    IDENTITY_UNKNOWN = "identity_unknown:{}", "nothing says that the pod is the finding's"
    FINDING_TOO_OLD = "finding_too_old", "older than what guardrails let be acted on"
    LAST_READY_REPLICA = "last_ready_replica", "the workload's last ready pod"
    DISRUPTION_BUDGET = "disruption_budget", "the pod's disruption budget allows none"
    SEVERAL_DISRUPTION_BUDGETS = "several_disruption_budgets", "several disruption budgets select the pod"
    NODE_POOL_UNHEALTHY = "node_pool_unhealthy", "a quarter of the pool takes no pods already"
    LAST_SCHEDULABLE_NODE = "last_schedulable_node", "the last node of its pool or zone that takes pods"
    LIMIT = "limit_{}", "as many as the limit of this scope allows were disrupted"
    STORM_BREAKER = "storm_breaker", "too much at once: the cluster's breaker tripped"
    CONTROL_DISABLED = "control_disabled", "the kill switch lets nothing be done"
    CONTROL_MISSING = "control_missing", "nobody ever set the kill switch: dry run"
    CONTROL_UNUSABLE = "control_unusable", "the kill switch's document makes no sense: dry run"
    CONTROL_UNREADABLE = "control_unreadable", "the kill switch could not be read"
    CONTROL_CONTENDED = "control_contended", "others changed the kill switch at each try"
    # Approval, and who asks.
    WAITING_FOR_APPROVAL = "waiting_for_approval", "a person has to approve it"
    APPROVED = "approved", "approved: it is carried out now"
    APPROVAL_NOTED = "approval_noted", "noted; more people have to approve"
    ALREADY_APPROVED = "already_approved", "the same person approved before"
    APPROVAL_RESUMED = "approval_resumed", "an approved case is resumed after a crash"
    APPROVAL_USED = "approval_used", "the plan was carried out, or is being"
    APPROVAL_REJECTED = "approval_rejected", "a person rejected the plan"
    APPROVAL_EXPIRED = "approval_expired", "nobody answered in time"
    NOT_EXPIRED = "not_expired", "there is still time to answer"
    NOT_WAITING = "not_waiting", "no plan waits for an answer"
    PLAN_DIGEST_DIFFERS = "plan_digest_differs", "the answer is to another plan"
    PLAN_TOO_LARGE = "plan_too_large", "the plan is too large to be stored"
    APPROVED_NOT_BEGUN = "approved_not_begun", "approved, but never reached"
    ENFORCED_BY_OTHER_POLICY = "enforced_by_other_policy", "a policy that enforces does it anyway"
    APPROVAL_VOID_MODE_LOWERED = "approval_void_mode_lowered", "a mode was lowered since the plan was made"
    APPROVAL_VOID_TARGET_CHANGED = "approval_void_target_changed", "the target is another one by now"
    APPROVAL_VOID_PLAN_CHANGED = "approval_void_plan_changed", "another plan would be made by now"
    APPROVAL_VOID_FINDING_CHANGED = "approval_void_finding_changed", "the finding came to its end meanwhile"
    MALFORMED_ANSWER = "malformed_answer", "the request is no answer to a plan"
    NOT_FROM_THIS_MACHINE = "not_from_this_machine", "without a token only this machine may ask"
    APPROVAL_NOT_CONFIGURED = "approval_not_configured", "nobody may approve: there is no audience for tokens"
    APPROVER_NOT_LISTED = "approver_not_listed", "guardrails do not list who asks as an approver"
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
    # What came of a step.
    DONE = "done", "carried out, and read back"
    DRY_RUN = "dry_run", "rehearsed"
    PATCHED = "patched", "the object was changed, and read back"
    ARMED = "armed", "the pod is marked for deletion"
    ISOLATED = "isolated", "a network policy isolates the pod"
    DELETED = "deleted", "the pod was deleted, and is gone"
    CAPTURED = "captured", "evidence is stored"
    PUBLISHED = "published", "people were told"
    ALREADY = "already", "it was so already"
    WOULD_PATCH = "would_patch", "rehearsed: the object would be changed"
    WOULD_ISOLATE = "would_isolate", "rehearsed: the pod would be isolated"
    WOULD_DELETE = "would_delete", "rehearsed: the pod would be deleted"
    WOULD_CAPTURE = "would_capture", "rehearsed: evidence would be stored"
    WOULD_PUBLISH = "would_publish", "rehearsed: people would be told"
    GONE_AFTER_INTENT = "gone_after_intent", "the pod is gone; whether by us nobody can tell"
    GONE_BY_OTHER = "gone_by_other", "the object went before the step"
    UNSETTLED = "unsettled", "the target kept changing while we tried"
    TARGET_REPLACED = "target_replaced", "another object has its name by now"
    TERMINATING = "terminating", "a finalizer or the grace period keeps the pod"
    OVERRIDDEN = "overridden", "done before, and undone by another"
    NOT_ARMED = "not_armed", "the mark for deletion is gone"
    NOT_VERIFIED = "not_verified", "it was changed back right after"
    NAME_TAKEN = "name_taken", "a network policy of another origin has the name"
    LABEL_REMOVED = "label_removed", "the label that the network policy selects is gone"
    BYPASSED_BY = "bypassed_by", "another network policy still allows traffic"
    NOT_ENFORCED = "not_enforced", "nothing enforces network policies there"
    ENFORCEMENT_UNKNOWN = "enforcement_unknown", "nothing says whether network policies are enforced"
    NOT_POSSIBLE_AUTOPILOT = "not_possible_autopilot", "the nodes of Autopilot are Google's"
    CAPTURED_WITHOUT_EVENTS = "captured_without_events", "evidence is stored, but for the pod's events"
    CAPTURED_IN_PART = "captured_in_part", "evidence is stored, but for a source that is required"
    NO_EVIDENCE_STORE = "no_evidence_store", "settings name no place for evidence"
    NOTIFIER_FAILED = "notifier_failed", "people could not be told"
    NO_OUTCOME_TOPIC = "no_outcome_topic", "settings name no outcome topic"
    NEEDS = "needs_{}", "the action that it needs was not carried out"
    EARLIER_STEP_STOPPED = "earlier_step_stopped", "an earlier step of the policy failed"
    HELD_BEFORE_RESUMED = "held_before_resumed", "held by the time it was resumed"
    POLICY_REMOVED = "policy_removed", "its policy is no more"
    HELD_OR_FAILED = "held_or_failed", "the responder's own news of what was held or failed"
