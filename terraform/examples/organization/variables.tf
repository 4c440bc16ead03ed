variable "additional_filter" {
  description = "More that a finding must meet to be sent at all. Left out, every active threat is sent."
  type        = string
  default     = null
}

variable "alert_channels" {
  description = "Notification channels for alerts, as projects/P/notificationChannels/ID."
  type        = set(string)
  default     = []
}

variable "alerts" {
  description = "How alerts go off. What is left out is the module's."
  type = object({
    auto_close_minutes = optional(number)
    changed            = optional(bool)
    lowered_hours      = optional(number)
    minutes_between    = optional(number)
    no_finding_days    = optional(number)
    pages              = optional(string)
  })
  default = {}
}

variable "approvers" {
  description = "Who may call the function to approve or reject a plan, as IAM members."
  type        = set(string)
  default     = []
}

variable "bundle_object" {
  description = "The bucket in which the zip lies as SHA256.zip, and the generation of that object. Left out, it is dist/scc-responder.zip of this clone."
  type = object({
    bucket     = string
    generation = number
  })
  default = null
}

variable "bundle_sha256" {
  description = "The digest that `make bundle` printed."
  type        = string
}

variable "cloud_logging" {
  description = "Whether the function may read Cloud Logging, where a policy asks for it. Left out, it may not."
  type        = bool
  default     = null
}

variable "cloud_monitoring" {
  description = "Whether instances and requests of services of Cloud Run may be counted. Left out, they are not."
  type        = bool
  default     = null
}

variable "cloud_run_projects" {
  description = "Projects whose services and jobs of Cloud Run are evidence. Left out, none is."
  type        = set(string)
  default     = null
}

variable "cloud_run_writes" {
  description = "Those of them whose services and jobs may be changed, where `services` lists them. Left out, none is."
  type        = set(string)
  default     = null
}

variable "clusters" {
  description = "Clusters that may be acted in: projects/P/locations/L/clusters/C, with * for a whole segment."
  type        = set(string)
}

variable "collector_image" {
  description = "The collector's image by its digest. Left out, nothing is put into a pod."
  type        = string
  default     = null
}

variable "collector_repository" {
  description = "Where the collector's image is: create makes a repository, name names one; readers pull from it."
  type = object({
    create  = optional(bool)
    name    = optional(string)
    readers = optional(set(string))
  })
  default = {}
}

variable "concurrency" {
  description = "Findings that one instance works on at a time. Left out, it is the module's."
  type        = number
  default     = null
}

variable "connect_gateway" {
  description = "Whether clusters of a fleet are reached by Connect Gateway. Left out, it is the module's."
  type        = bool
  default     = null
}

variable "console" {
  description = "Who may open the console in the browser, and by which subnetwork it calls the function; undo: whether cases are taken back there. Left out, there is none."
  type = object({
    members    = set(string)
    subnetwork = optional(string)
    undo       = optional(bool)
  })
  default = null
}

variable "essential_contacts" {
  description = "Whether routes of mail tell those whom Essential Contacts names for security. Left out, they do not."
  type        = bool
  default     = false
}

variable "evidence" {
  description = "How long evidence cannot be deleted, and whether that is locked. What is left out is the module's."
  type = object({
    locked         = optional(bool)
    retention_days = optional(number)
  })
  default = {}
}

variable "exclude_collector_logs" {
  description = "Whether the collector's log is left out of Cloud Logging. Left out, it is the module's."
  type        = bool
  default     = null
}

variable "external_system" {
  description = "Whether Security Command Center shows the case beside its finding."
  type        = bool
  default     = false
}

variable "image_repositories" {
  description = "Repositories of Artifact Registry whose images are asked who built what and when. Left out, none."
  type        = set(string)
  default     = null
}

variable "ingress" {
  description = "From where the function can be called at all. Left out, it is the module's."
  type        = string
  default     = null
}

variable "limits" {
  description = "What the function may use. What is left out is the module's."
  type = object({
    cpu             = optional(string)
    max_instances   = optional(number)
    memory          = optional(string)
    min_instances   = optional(number)
    timeout_seconds = optional(number)
  })
  default = {}
}

variable "looks" {
  description = "How long after it was contained a pod or node is looked at; empty: never."
  type        = list(string)
  default     = ["1m", "5m", "1h", "24h"]
}

variable "message_retention_days" {
  description = "Days that findings stay in Pub/Sub. Left out, it is the module's."
  type        = number
  default     = null
}

variable "notice_secrets" {
  description = "Versions of secrets with the addresses of receivers of notices, by the names that routes.yaml calls them. Left out, none."
  type        = map(string)
  default     = null
}

variable "operators" {
  description = "Who is on call, as IAM members."
  type        = set(string)
  default     = []
}

variable "organization_id" {
  description = "Numeric id of the organisation."
  type        = string
}

variable "outcome_format" {
  description = "In which form the outcome topic has what was decided and done: v1 or cloudevents."
  type        = string
  default     = "v1"
}

variable "outcome_subscriptions" {
  description = "Who gets what was decided and done: subscriptions on the outcome topic. Left out, one that is pulled."
  type = map(object({
    bigquery_table = optional(string)
    push_audience  = optional(string)
    push_endpoint  = optional(string)
    push_identity  = optional(string)
    readers        = optional(set(string))
  }))
  default = null
}

variable "permissions" {
  description = "The permissions.json that scc-responder bundle wrote beside the zip. Left out, that of the shipped policies."
  type        = string
  default     = null
}

variable "project_id" {
  description = "The project that the responder runs in."
  type        = string
}

variable "region" {
  description = "The region that it runs in."
  type        = string
  default     = "europe-west1"
}

variable "services" {
  description = "Services and jobs of Cloud Run that may be changed. Left out, none is."
  type        = set(string)
  default     = null
}

variable "signing" {
  description = "The key that signs evidence. Left out, evidence is not signed."
  type = object({
    create_key       = optional(bool)
    key_version      = optional(string)
    protection_level = optional(string)
    version          = optional(number)
  })
  default = {}
}

variable "source_ids" {
  description = "Numeric ids of the Security Command Center sources that are believed."
  type        = set(string)
}

variable "undo_operators" {
  description = "Who may take changes back with `scc-responder case undo`, as IAM members."
  type        = set(string)
  default     = []
}
