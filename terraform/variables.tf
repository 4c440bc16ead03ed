# An amount of memory, its units in MiB, and what Cloud Run gives to so much CPU, in MiB; to fractions, up to 1 GiB.
locals {
  _amount        = "^([1-9][0-9]*)(Mi|Gi|M|G)$"
  _mebibytes     = { G = 1000000000 / 1048576, Gi = 1024, M = 1000000 / 1048576, Mi = 1 }
  _memory_of_cpu = { "1" = [0, 4096], "2" = [0, 8192], "4" = [2048, 16384], "6" = [4096, 24576], "8" = [4096, 32768] }
}

# One IAM member: an account or a group by its address, a Kubernetes service account, or one identity, group or attribute
# of a workload or workforce pool.
locals {
  _address_of = "[^@*:/\\s]+@[a-z0-9-]+([.][a-z0-9-]+)+"
  _somebody   = "^((user|group|serviceAccount):${local._address_of}|serviceAccount:[a-z0-9.:-]+[.]svc[.]id[.]goog\\[[a-z0-9.-]+/[a-z0-9.-]+\\]|principal(Set)?://iam[.]googleapis[.]com/[^*\\s]+)$"
}

variable "additional_filter" {
  description = "More that a finding must meet to be sent at all, in the syntax of Security Command Center's filters. What is done about a finding is better chosen in the policies: a mistake here is silent."
  type        = string
  default     = ""
  nullable    = false
}

variable "alert_channels" {
  description = "Notification channels that the alerts go to, as `projects/P/notificationChannels/ID`."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for channel in var.alert_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "Each of alert_channels must be the full name of a notification channel: projects/P/notificationChannels/ID."
  }
}

variable "alerts" {
  description = "How alerts go off. `auto_close_minutes` after the last line an incident is closed, so that the next one tells again. With `changed` each change that makes something unavailable is told too. `lowered_hours` of a kill switch at `dry_run` or `disabled` are told, 0: never. `minutes_between` two messages that name a case. `no_finding_days` without any finding are told, 0: never. `pages` is the address of your copy of this folder's `docs`, to which each alert leads."
  type = object({
    auto_close_minutes = optional(number, 30)
    changed            = optional(bool, false)
    lowered_hours      = optional(number, 24)
    minutes_between    = optional(number, 5)
    no_finding_days    = optional(number, 14)
    pages              = optional(string, "terraform/docs")
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.alerts.auto_close_minutes >= 30 && var.alerts.auto_close_minutes <= 10080 && floor(var.alerts.auto_close_minutes) == var.alerts.auto_close_minutes
    error_message = "The auto_close_minutes of alerts must be a whole number from 30 to 10080, a week: Cloud Monitoring takes no other."
  }

  validation {
    condition     = var.alerts.lowered_hours >= 0 && var.alerts.lowered_hours <= 24 && floor(var.alerts.lowered_hours) == var.alerts.lowered_hours
    error_message = "The lowered_hours of alerts must be a whole number from 0, which is never, to 24: Cloud Monitoring looks no further back."
  }

  validation {
    condition     = var.alerts.minutes_between >= 5 && var.alerts.minutes_between <= 2880 && floor(var.alerts.minutes_between) == var.alerts.minutes_between
    error_message = "The minutes_between of alerts must be a whole number from 5 to 2880, two days: Cloud Monitoring takes no other."
  }

  validation {
    condition     = var.alerts.no_finding_days >= 0 && floor(var.alerts.no_finding_days) == var.alerts.no_finding_days
    error_message = "The no_finding_days of alerts must be a whole number, 0 for never."
  }

  validation {
    condition     = can(regex("^(https://[^\\s<>()\"`%]+[^\\s<>()\"`%/]|terraform/docs)$", var.alerts.pages))
    error_message = "The pages of alerts must be an https:// address without a slash at its end, such as https://git.example.com/security/scc-responder/terraform/docs."
  }
}

variable "approvers" {
  description = "Who may call the function to approve or reject a plan, as IAM members (`group:secops@example.com`). Which of them are listened to is for `guardrails.yaml` to say. Without any, nobody can approve."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.approvers : can(regex(local._somebody, member))])
    error_message = "Each of approvers must name one person, group or identity, as in group:secops@example.com; allUsers and patterns are not accepted."
  }
}

variable "bundle" {
  description = "The zip that `make bundle` or `scc-responder bundle` wrote, and the SHA-256 that it printed: what was tested is what is uploaded. Or, instead of its path, the bucket in which it lies as `SHA256.zip`, and the generation of that object: the builder is let read it there."
  type = object({
    bucket     = optional(string)
    generation = optional(number)
    path       = optional(string)
    sha256     = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[0-9a-f]{64}$", var.bundle.sha256))
    error_message = "The sha256 of bundle must be the 64 hexadecimal digits that make bundle prints."
  }

  validation {
    condition     = (var.bundle.path == null) != (var.bundle.bucket == null)
    error_message = "Give either the path of bundle, a zip on this machine, or its bucket, where the zip is called SHA256.zip; not both."
  }

  validation {
    condition     = (var.bundle.bucket == null) == (var.bundle.generation == null) && (var.bundle.generation == null ? true : var.bundle.generation > 0 && floor(var.bundle.generation) == var.bundle.generation)
    error_message = "The generation of bundle must be that of the object in its bucket, a whole number, as gcloud storage objects describe shows it: what is pinned cannot be exchanged."
  }
}

variable "cloud_logging" {
  description = "Whether the function may read Cloud Logging in the projects of the clusters and in `cloud_run_projects`, where an enabled policy has `capture_cloud_logs`: every log there, audit logs of data access among them. Without it such a step is left out, as `no_cloud_logging`."
  type        = bool
  default     = false
  nullable    = false
}

variable "cloud_monitoring" {
  description = "Whether the function may read Cloud Monitoring in `cloud_run_projects`: how many instances a revision has, and its requests of the last hour. Without it both are `unknown`."
  type        = bool
  default     = false
  nullable    = false
}

variable "cloud_run_projects" {
  description = "Projects whose services and jobs of Cloud Run are evidence, by their ids: the function may read their settings, revisions, executions and IAM policies, and none of their secrets. Where it may not, a finding of Cloud Run is a notice."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for project in var.cloud_run_projects : can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", project))])
    error_message = "Each of cloud_run_projects must be a project's id, such as shop-prod: not its number, and no pattern."
  }

  validation {
    condition     = var.scope.project == null || alltrue([for project in var.cloud_run_projects : project == coalesce(var.scope.project, "-")])
    error_message = "With a project as scope, cloud_run_projects must be that project alone: the role that reads Cloud Run holds in no other."
  }
}

variable "cloud_run_writes" {
  description = "Those of `cloud_run_projects` whose services and jobs may be changed, where `services` lists them. A service account of its own may do it, which the function impersonates; without any project there is none, and every change is held as `no_run_writer`."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.cloud_run_writes, var.cloud_run_projects)) == 0
    error_message = "Each of cloud_run_writes must be in cloud_run_projects too: what is changed is read before and after."
  }

  validation {
    condition     = !contains(var.cloud_run_writes, var.project_id)
    error_message = "The responder's own project must not be in cloud_run_writes: who may update its service can run code as the responder."
  }
}

variable "clusters" {
  description = "Clusters that may be acted in: `projects/P/locations/L/clusters/C`, with `*` for a whole segment. Where every pattern names its project, access to clusters is granted in those projects alone."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.clusters) > 0
    error_message = "The clusters must be listed: without any, no finding is acted upon."
  }

  validation {
    condition     = alltrue([for cluster in var.clusters : can(regex("^projects/([*]|[a-z0-9][a-z0-9.:-]*)/locations/([*]|[a-z0-9][a-z0-9.:-]*)/clusters/([*]|[a-z0-9][a-z0-9.:-]*)$", cluster))])
    error_message = "Each of clusters must be projects/P/locations/L/clusters/C, with * for a whole segment and nothing else."
  }

  validation {
    condition     = !anytrue([for cluster in var.clusters : can(regex("^projects/[0-9]+/", cluster))])
    error_message = "Each of clusters must name its project by its id, such as example-project: findings name it so, and what is listed by a number ends as cluster_not_listed."
  }

  validation {
    condition     = var.scope.project == null || alltrue([for cluster in var.clusters : contains(["*", coalesce(var.scope.project, "-")], try(split("/", cluster)[1], ""))])
    error_message = "With a project as scope, each of clusters must name that project or * as its project: no other can be reached from it."
  }
}

variable "collector_image" {
  description = "The collector's image by its digest, as `make collector` names it: `REGISTRY/IMAGE@sha256:DIGEST`. Without it nothing is put into a pod, to look into it or to cut its connections. Clusters must allow it too: `terraform/kubernetes/forensic`, and `undo/forensic` beside it to let frozen processes go on."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9][a-z0-9._:/-]{0,299}@sha256:[0-9a-f]{64})?$", var.collector_image))
    error_message = "The collector_image must name its digest, as in europe-docker.pkg.dev/example-project/tools/collector@sha256: and 64 hexadecimal digits; a tag can be moved."
  }
}

variable "collector_repository" {
  description = "Where the collector's image is: `create` makes a repository in the module's region, `name` names one of yours, `projects/P/locations/L/repositories/R`. `readers` may pull from it: the service accounts of the clusters' nodes (`serviceAccount:nodes@shop-prod.iam.gserviceaccount.com`). `make collector` pushes to the output `collector_repository`."
  type = object({
    create  = optional(bool, false)
    name    = optional(string)
    readers = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = !(var.collector_repository.create && var.collector_repository.name != null)
    error_message = "The collector_repository must name one or set create, not both."
  }

  validation {
    condition     = var.collector_repository.name == null || can(regex("^projects/[a-z0-9][a-z0-9.:-]*/locations/[a-z0-9-]+/repositories/[a-z][a-z0-9-]{0,62}$", var.collector_repository.name))
    error_message = "The name of collector_repository must be a repository's full name: projects/P/locations/L/repositories/R."
  }

  validation {
    condition     = length(var.collector_repository.readers) == 0 || var.collector_repository.create || var.collector_repository.name != null
    error_message = "The readers of collector_repository need a repository: name one, or set create."
  }

  validation {
    condition     = alltrue([for member in var.collector_repository.readers : can(regex(local._somebody, member))])
    error_message = "Each of the readers of collector_repository must name one identity, as in serviceAccount:nodes@shop-prod.iam.gserviceaccount.com; allUsers and patterns are not accepted."
  }
}

variable "concurrency" {
  description = "Findings that one instance works on at a time: the function's concurrency and the framework's threads alike, so that no request waits inside an instance while its acknowledgement deadline runs. Killed, an instance cuts off as many findings, and each waits for its lease to run out. By `python -m tests.bench.concurrency`, which kills it, 4 at a time contain a burst a fifth sooner than 2, and 8 hardly sooner than 4, with twice as many cut off."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.concurrency >= 1 && var.concurrency <= 80 && floor(var.concurrency) == var.concurrency
    error_message = "The concurrency must be a whole number from 1 to 80."
  }
}

variable "connect_gateway" {
  description = "Whether clusters of a fleet whose DNS endpoint is closed are reached by Connect Gateway. It grants the gateway's permissions wherever access to clusters is granted, and enables its APIs in the responder's project; without it the gateway is passed over."
  type        = bool
  default     = false
  nullable    = false
}

variable "console" {
  description = "The console in the browser, behind Identity-Aware Proxy (IAP): who may open it, as IAM members (`group:secops@example.com`). Who of them may approve is for `guardrails.yaml` to say. It reads the journal and calls the function, by the `subnetwork` (`projects/P/regions/R/subnetworks/S`, with Private Google Access) where the function is closed to the internet. With `undo` those who may approve also take a case back there: a service of its own does that, as the identity of undo, `terraform/kubernetes/undo`. Hand the output `console` to `terraform/console`, which makes the services. Null: there is none."
  type = object({
    members    = set(string)
    subnetwork = optional(string)
    undo       = optional(bool, false)
  })
  default = null

  validation {
    condition     = var.console == null ? true : length(var.console.members) > 0 && alltrue([for member in var.console.members : can(regex(local._somebody, member))])
    error_message = "The members of console must name at least one person, group or identity, as in group:secops@example.com; allUsers and patterns are not accepted."
  }

  validation {
    condition     = try(var.console.subnetwork, null) == null ? true : can(regex("^projects/[a-z0-9][a-z0-9.:-]*/regions/[a-z0-9-]+/subnetworks/[a-z0-9-]+$", var.console.subnetwork))
    error_message = "The subnetwork of console must be a subnetwork's full name: projects/P/regions/R/subnetworks/S."
  }
}

variable "enable_apis" {
  description = "Whether to enable the APIs that are needed in the responder's project. They stay enabled when the module is removed."
  type        = bool
  default     = true
  nullable    = false
}

variable "essential_contacts" {
  description = "Whether routes of mail with `to_contacts` tell those whom Essential Contacts names for security in the finding's project, within `contact_domains`. The function may then read the contacts of every project in `scope`, and change none."
  type        = bool
  default     = false
  nullable    = false
}

variable "evidence" {
  description = "How long evidence cannot be deleted, in days, and whether that is locked. A lock cannot be taken back, by anyone."
  type = object({
    locked         = optional(bool, false)
    retention_days = optional(number, 365)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.evidence.retention_days >= 1 && var.evidence.retention_days <= 3650 && floor(var.evidence.retention_days) == var.evidence.retention_days
    error_message = "The retention_days of evidence must be a whole number from 1 to 3650."
  }
}

variable "exclude_collector_logs" {
  description = "Whether the log of the collector's containers is left out of Cloud Logging, by an exclusion in each project that `clusters` names. It has no effect without `collector_image`. It takes `roles/logging.configWriter` there."
  type        = bool
  default     = true
  nullable    = false
}

variable "external_system" {
  description = "Whether Security Command Center shows the case beside its finding, as the external system `scc-responder`: its state, who approved, and the console's link. It may then write external systems, and nothing else of a finding."
  type        = bool
  default     = false
  nullable    = false
}

variable "heartbeat_minutes" {
  description = "Minutes between two heartbeats. Three missed ones raise an alert: on a quiet day nothing else shows that a finding would not get through."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = contains([5, 10, 15, 20, 30], var.heartbeat_minutes)
    error_message = "The heartbeat_minutes must be 5, 10, 15, 20 or 30."
  }
}

variable "image_repositories" {
  description = "Repositories of Artifact Registry, `projects/P/locations/L/repositories/R`, whose images a look into a container asks who built what and when: manifest and configuration, by the digest that the container runs. One of gcr.io is `projects/P/locations/us/repositories/gcr.io`. The module lets the function pull from these where an enabled policy has `inspect_container`."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for name in var.image_repositories : can(regex("^projects/[a-z0-9][a-z0-9.:-]*/locations/[a-z0-9-]+/repositories/[a-z][a-z0-9.-]{0,62}$", name))])
    error_message = "Each of image_repositories must be a repository's full name: projects/P/locations/L/repositories/R."
  }

  validation {
    condition     = var.scope.project == null || alltrue([for name in var.image_repositories : try(split("/", name)[1], "") == coalesce(var.scope.project, "-")])
    error_message = "With a project as scope, each of image_repositories must be in that project: the role that reads them holds in no other."
  }
}

variable "ingress" {
  description = "From where the function can be called at all, by those who may: Pub/Sub counts as internal. Approvers who are not inside your VPC need `ALLOW_INTERNAL_AND_GCLB` with a load balancer, or `ALLOW_ALL`."
  type        = string
  default     = "ALLOW_INTERNAL_ONLY"
  nullable    = false

  validation {
    condition     = contains(["ALLOW_ALL", "ALLOW_INTERNAL_AND_GCLB", "ALLOW_INTERNAL_ONLY"], var.ingress)
    error_message = "The ingress must be ALLOW_INTERNAL_ONLY, ALLOW_INTERNAL_AND_GCLB or ALLOW_ALL."
  }
}

variable "kms_key_names" {
  description = "Customer-managed keys as `projects/P/locations/L/keyRings/R/cryptoKeys/K`; where none is given, Google manages it. The module lets Google's service agents use them."
  type = object({
    firestore = optional(string)
    function  = optional(string)
    pubsub    = optional(string)
    storage   = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for key in values(var.kms_key_names) : key == null || can(regex("^projects/[^/]+/locations/[^/]+/keyRings/[^/]+/cryptoKeys/[^/]+$", key))])
    error_message = "Each of kms_key_names must be the full name of a key: projects/P/locations/L/keyRings/R/cryptoKeys/K."
  }

  validation {
    condition     = alltrue([for key in values(var.kms_key_names) : key == null || try(split("/", key)[3], "") == var.region])
    error_message = "Each of kms_key_names must be in the module's region, as what it encrypts is: databases, buckets and functions take no other, and topics would depend on another region."
  }
}

variable "labels" {
  description = "Labels on everything that can have labels."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key, value in var.labels : can(regex("^[\\p{Ll}\\p{Lo}][\\p{Ll}\\p{Lo}\\p{N}_-]{0,62}$", key)) && can(regex("^[\\p{Ll}\\p{Lo}\\p{N}_-]{0,63}$", value))])
    error_message = "The labels must have keys and values of at most 63 lower-case letters, digits, underscores and hyphens, and keys must begin with a letter: team-name, not Team Name."
  }

  validation {
    condition     = length(var.labels) <= 64
    error_message = "The labels must be 64 at most: Google takes no more on one resource."
  }
}

variable "limits" {
  description = "What the function may use. The timeout is for one finding, in seconds; `max_instances` times `concurrency` findings are worked on at a time."
  type = object({
    cpu             = optional(string, "1")
    max_instances   = optional(number, 20)
    memory          = optional(string, "512Mi")
    min_instances   = optional(number, 1)
    timeout_seconds = optional(number, 110)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.limits.timeout_seconds >= 60 && var.limits.timeout_seconds < 120 && floor(var.limits.timeout_seconds) == var.limits.timeout_seconds
    error_message = "The timeout_seconds of limits must be a whole number, at least 60 and under 120, the lease of a case: after that, another delivery may take the case over."
  }

  validation {
    condition     = var.limits.min_instances >= 0 && var.limits.max_instances >= 1 && var.limits.max_instances <= 1000 && var.limits.min_instances <= var.limits.max_instances && floor(var.limits.min_instances) == var.limits.min_instances && floor(var.limits.max_instances) == var.limits.max_instances
    error_message = "The instances of limits must be whole numbers, 0 <= min_instances <= max_instances, and max_instances from 1 to 1000."
  }

  validation {
    condition     = can(regex("^(0[.](0[89]|[1-9])[0-9]{0,2}|1|2|4|6|8)$", var.limits.cpu))
    error_message = "The cpu of limits must be 1, 2, 4, 6 or 8, or a fraction from 0.08 on, such as 0.5."
  }

  validation {
    condition     = anytrue([for parts in regexall(local._amount, var.limits.memory) : tonumber(parts[0]) * local._mebibytes[parts[1]] >= 128])
    error_message = "The memory of limits must be at least 128Mi, as a whole number of Mi, Gi, M or G."
  }

  validation {
    condition     = alltrue([for parts in regexall(local._amount, var.limits.memory) : try(tonumber(parts[0]) * local._mebibytes[parts[1]] >= local._memory_of_cpu[var.limits.cpu][0] && tonumber(parts[0]) * local._mebibytes[parts[1]] <= local._memory_of_cpu[var.limits.cpu][1], tonumber(parts[0]) * local._mebibytes[parts[1]] <= (tonumber(var.limits.cpu) < 0.5 ? 512 : 1024), true)])
    error_message = "The memory and cpu of limits must go together: up to 512Mi below 0.5 CPU, 1Gi below 1, 4Gi with 1, 8Gi with 2, 16Gi with 4, 24Gi with 6, 32Gi with 8; at least 2Gi with 4, and 4Gi with 6 or 8."
  }

  validation {
    condition     = var.concurrency == 1 || try(tonumber(var.limits.cpu) >= 1, false)
    error_message = "The cpu of limits must be at least 1 where concurrency is over 1: Cloud Run asks for that."
  }
}

variable "looks" {
  description = "How long after it was contained a pod or node is looked at: is it still isolated, cordoned, detached, and is the pod's replacement ready? Empty: never."
  type        = list(string)
  default     = ["1m", "5m", "1h", "24h"]
  nullable    = false

  validation {
    condition     = length(var.looks) <= 12 && alltrue([for look in var.looks : can(regex("^[1-9][0-9]{0,3}[smhd]$", look))])
    error_message = "The looks must be 12 durations at most, such as 5m or 24h: a number and one of s, m, h and d."
  }
}

variable "message_retention_days" {
  description = "Days that findings stay in Pub/Sub: how long an outage may last, and how far back `gcloud pubsub subscriptions seek` can go."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.message_retention_days >= 1 && var.message_retention_days <= 31 && floor(var.message_retention_days) == var.message_retention_days
    error_message = "The message_retention_days must be a whole number from 1 to 31."
  }
}

variable "name" {
  description = "What everything is named after. Give each responder of one organisation its own: its roles bear the name too."
  type        = string
  default     = "scc-responder"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "The name must be 3 to 20 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }
}

variable "notice_secrets" {
  description = "Secrets with the addresses of receivers of notices, by the names that routes.yaml calls them: `projects/P/secrets/S/versions/V`, or `.../versions/latest`. Each is mounted in the function as a file, which it reads when it first sends. The module lets the function read these, and no other."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.notice_secrets) : can(regex("^[A-Za-z0-9_-]{1,255}$", name))])
    error_message = "The names in notice_secrets must be 1 to 255 letters, digits, hyphens and underscores, as routes.yaml has them."
  }

  validation {
    condition     = alltrue([for version in values(var.notice_secrets) : can(regex("^projects/[a-z0-9][a-z0-9.:-]*/secrets/[A-Za-z0-9_-]{1,255}/versions/(latest|[1-9][0-9]*)$", version))])
    error_message = "Each of notice_secrets must be a secret's version by its full name: projects/P/secrets/S/versions/V, or .../versions/latest."
  }
}

variable "operators" {
  description = "Who is on call, as IAM members (`group:secops@example.com`): they may use the kill switch, the breakers and the cases in the journal, pause the subscription and resume it, look up the function's address, run the scheduler's jobs, and send dead letters again, as the redrive identity."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.operators : can(regex(local._somebody, member))])
    error_message = "Each of operators must name one person, group or identity, as in group:secops@example.com; allUsers and patterns are not accepted."
  }
}

variable "outcome_format" {
  description = "In which form the outcome topic has what was decided and done: `v1`, JSON of our own; `cloudevents`, an OCSF incident finding and its remediation activities, each as a CloudEvent."
  type        = string
  default     = "v1"
  nullable    = false

  validation {
    condition     = contains(["v1", "cloudevents"], var.outcome_format)
    error_message = "The outcome_format must be v1 or cloudevents."
  }
}

variable "outcome_subscriptions" {
  description = "Who gets what was decided and done, by a name of yours: each is a subscription `NAME-outcomes-KEY` on the outcome topic, which never expires and keeps for 7 days what nobody took. Empty, it is pulled, by `readers` (IAM members). `push_endpoint` is posted to, with a token of the service account `push_identity` for `push_audience`, by default the endpoint. `bigquery_table` (`PROJECT.DATASET.TABLE`) has the columns `data`, `attributes`, `message_id`, `publish_time` and `subscription_name`, and Pub/Sub's service agent is its `roles/bigquery.dataEditor`."
  type = map(object({
    bigquery_table = optional(string)
    push_audience  = optional(string)
    push_endpoint  = optional(string)
    push_identity  = optional(string)
    readers        = optional(set(string), [])
  }))
  default  = { pull = {} }
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.outcome_subscriptions) : can(regex("^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$", name))])
    error_message = "The names in outcome_subscriptions must be 1 to 32 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen."
  }

  validation {
    condition     = alltrue([for one in values(var.outcome_subscriptions) : one.bigquery_table == null || one.push_endpoint == null])
    error_message = "Each of outcome_subscriptions must have a bigquery_table or a push_endpoint, not both: a subscription delivers in one way."
  }

  validation {
    condition     = alltrue([for one in values(var.outcome_subscriptions) : one.push_endpoint == null || can(regex("^https://[^\\s]+$", one.push_endpoint))])
    error_message = "Each push_endpoint of outcome_subscriptions must be an https:// address."
  }

  validation {
    condition     = alltrue([for one in values(var.outcome_subscriptions) : one.push_identity == null || (one.push_endpoint != null && can(regex("^${local._address_of}$", one.push_identity)))])
    error_message = "Each push_identity of outcome_subscriptions must be the address of a service account, beside a push_endpoint."
  }

  validation {
    condition     = alltrue([for one in values(var.outcome_subscriptions) : one.push_audience == null || one.push_identity != null])
    error_message = "Each push_audience of outcome_subscriptions needs a push_identity: it is whom that one's tokens are for."
  }

  validation {
    condition     = alltrue([for one in values(var.outcome_subscriptions) : one.bigquery_table == null || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9][.][A-Za-z0-9_]+[.][A-Za-z0-9_-]+$", one.bigquery_table))])
    error_message = "Each bigquery_table of outcome_subscriptions must be PROJECT.DATASET.TABLE."
  }

  validation {
    condition     = alltrue([for one in values(var.outcome_subscriptions) : length(one.readers) == 0 || (one.bigquery_table == null && one.push_endpoint == null)])
    error_message = "The readers of outcome_subscriptions pull: leave them out beside a push_endpoint or a bigquery_table."
  }

  validation {
    condition     = alltrue(flatten([for one in values(var.outcome_subscriptions) : [for member in one.readers : can(regex(local._somebody, member))]]))
    error_message = "Each of the readers of outcome_subscriptions must name one person, group or identity, as in serviceAccount:siem@example-project.iam.gserviceaccount.com; allUsers and patterns are not accepted."
  }
}

variable "permissions" {
  description = "The path of the `permissions.json` that `scc-responder bundle` wrote beside the zip of your own policies: what they need is granted, and no more. Without it, what the shipped policies need is."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.permissions == "" ? true : try(keys(jsondecode(file(var.permissions))) == keys(jsondecode(file("${path.module}/permissions.json"))), false)
    error_message = "The permissions must be the path of a permissions.json, as scc-responder bundle of the module's own version writes it beside the zip."
  }
}

variable "project_id" {
  description = "The project that the responder runs in. One of its own is best: whoever may act in it may act as the responder."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "The project_id must be a project's id, such as example-project: not its number and not its display name."
  }
}

variable "region" {
  description = "The region that everything is in, such as `europe-west1`: function, topics' storage, Firestore database, buckets."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "The region must be one of Google Cloud's regions, such as europe-west1: no zone and no multi-region."
  }
}

variable "retry" {
  description = "When a delivery that failed comes again, and after how many it becomes a dead letter."
  type = object({
    maximum_backoff_seconds = optional(number, 600)
    max_delivery_attempts   = optional(number, 20)
    minimum_backoff_seconds = optional(number, 10)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.retry.minimum_backoff_seconds >= 1 && var.retry.minimum_backoff_seconds <= var.retry.maximum_backoff_seconds && var.retry.maximum_backoff_seconds <= 600 && floor(var.retry.minimum_backoff_seconds) == var.retry.minimum_backoff_seconds && floor(var.retry.maximum_backoff_seconds) == var.retry.maximum_backoff_seconds
    error_message = "The back-off of retry must be whole seconds, 1 <= minimum_backoff_seconds <= maximum_backoff_seconds <= 600."
  }

  validation {
    condition     = var.retry.max_delivery_attempts >= 5 && var.retry.max_delivery_attempts <= 100 && floor(var.retry.max_delivery_attempts) == var.retry.max_delivery_attempts
    error_message = "The max_delivery_attempts of retry must be a whole number from 5 to 100: Pub/Sub takes no other."
  }
}

variable "runtime" {
  description = "The function's Python: `python311` to `python314`."
  type        = string
  default     = "python313"
  nullable    = false

  validation {
    condition     = contains(["python311", "python312", "python313", "python314"], var.runtime)
    error_message = "The runtime must be python311, python312, python313 or python314."
  }
}

variable "scc_location" {
  description = "Where Security Command Center keeps the findings: `global`, or with data residency `eu`, `us` or `sa`. Notifications and the reading of findings both use it."
  type        = string
  default     = "global"
  nullable    = false

  validation {
    condition     = contains(["eu", "global", "sa", "us"], var.scc_location)
    error_message = "The scc_location must be global, or with data residency eu, us or sa."
  }
}

variable "scope" {
  description = "Whose findings are responded to: `{organization = \"123\"}`, one folder of it `{organization = \"123\", folder = \"456\"}` (its custom roles are the organisation's), or `{project = \"example-project\"}`."
  type = object({
    folder       = optional(string)
    organization = optional(string)
    project      = optional(string)
  })
  nullable = false

  validation {
    condition     = (var.scope.project == null) != (var.scope.organization == null)
    error_message = "The scope must be an organization, a folder with its organization, or a project: give organization or project, and not both."
  }

  validation {
    condition     = var.scope.folder == null || var.scope.organization != null
    error_message = "The scope of a folder needs its organization too: a folder has no custom roles of its own."
  }

  validation {
    condition     = alltrue([for id in [var.scope.folder, var.scope.organization] : id == null || can(regex("^[0-9]{1,20}$", id))])
    error_message = "The folder and the organization of scope must be their numeric ids, without folders/ or organizations/ before them."
  }

  validation {
    condition     = var.scope.project == null || can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.scope.project))
    error_message = "The project of scope must be a project's id, such as example-project."
  }
}

variable "services" {
  description = "Services and jobs of Cloud Run that may be changed: `projects/P/locations/L/services/N` or `projects/P/locations/L/jobs/N`, with `*` for a whole segment. Without any, evidence is taken of them and people are told, and no more. The responder's own service is never changed, whatever is listed."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for service in var.services : can(regex("^projects/([*]|[a-z0-9][a-z0-9.:-]*)/locations/([*]|[a-z0-9-]+)/(services|jobs)/([*]|[a-z0-9-]+)$", service))])
    error_message = "Each of services must be projects/P/locations/L/services/N or projects/P/locations/L/jobs/N, with * for a whole segment and nothing else."
  }

  validation {
    condition     = !anytrue([for service in var.services : can(regex("^projects/[0-9]", service))])
    error_message = "Each of services must name its project by its id, such as example-project: findings name it so, and what is listed by a number is held as service_not_listed."
  }
}

variable "signing" {
  description = "The key that signs evidence (EC P-256, SHA-256): `create_key` makes one in the module's region, which Terraform never destroys, and `version` of it signs; `key_version` names one of yours, `projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N`. In the responder's project the module lets the runtime identity sign with it; in another, who owns the key grants `cloudkms.cryptoKeyVersions.useToSign` on it. Without a key, evidence is stored without a signature."
  type = object({
    create_key       = optional(bool, false)
    key_version      = optional(string)
    protection_level = optional(string, "SOFTWARE")
    version          = optional(number, 1)
  })
  default  = {}
  nullable = false

  validation {
    condition     = !(var.signing.create_key && var.signing.key_version != null)
    error_message = "The signing must name a key_version or set create_key, not both."
  }

  validation {
    condition     = var.signing.key_version == null || can(regex("^projects/[a-z0-9][a-z0-9.:-]*/locations/[a-z0-9-]+/keyRings/[A-Za-z0-9_-]{1,63}/cryptoKeys/[A-Za-z0-9_-]{1,63}/cryptoKeyVersions/[1-9][0-9]*$", var.signing.key_version))
    error_message = "The key_version of signing must be the full name of a version: projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/N."
  }

  validation {
    condition     = contains(["HSM", "SOFTWARE"], var.signing.protection_level)
    error_message = "The protection_level of signing must be SOFTWARE or HSM."
  }

  validation {
    condition     = var.signing.version >= 1 && floor(var.signing.version) == var.signing.version && (var.signing.create_key || var.signing.version == 1)
    error_message = "The version of signing must be a whole number from 1 on, of the key that create_key makes."
  }
}

variable "source_ids" {
  description = "Numeric ids of the Security Command Center sources that are believed, such as Event Threat Detection's. Whoever may create findings can choose a source's display name, but not its id."
  type        = set(string)
  nullable    = false

  validation {
    condition     = length(var.source_ids) > 0
    error_message = "The source_ids must be listed: without any, no finding is believed. List them with: gcloud scc sources describe organizations/ID --source-display-name=NAME."
  }

  validation {
    condition     = alltrue([for id in var.source_ids : can(regex("^[0-9]{1,20}$", id))])
    error_message = "Each of source_ids must be a source's numeric id: the digits after sources/ in its name."
  }
}

variable "undo_operators" {
  description = "Who may take changes back with `scc-responder case undo`, as IAM members (`group:secops@example.com`): they act as a service account of its own, which can take the responder's acts away and do nothing else, and as which the function never acts. Without any there is none."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for member in var.undo_operators : can(regex(local._somebody, member))])
    error_message = "Each of undo_operators must name one person, group or identity, as in group:secops@example.com; allUsers and patterns are not accepted."
  }
}

variable "vpc_connector" {
  description = "Serverless VPC Access connector as `projects/P/locations/L/connectors/C`, for clusters that are reached by a private address only."
  type        = string
  default     = null

  validation {
    condition     = var.vpc_connector == null || can(regex("^projects/[^/]+/locations/[^/]+/connectors/[^/]+$", var.vpc_connector))
    error_message = "The vpc_connector must be a connector's full name: projects/P/locations/L/connectors/C."
  }

  validation {
    condition     = var.vpc_connector == null || try(split("/", var.vpc_connector)[3] == var.region, true)
    error_message = "The vpc_connector must be in the module's region: a function uses no connector of another."
  }
}
