variable "alert_channels" {
  description = "Notification channels for alerts, as projects/P/notificationChannels/ID."
  type        = set(string)
  default     = []
}

variable "bundle_sha256" {
  description = "The digest that `make bundle` printed."
  type        = string
}

variable "organization_id" {
  description = "Numeric id of the organisation."
  type        = string
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

variable "source_ids" {
  description = "Numeric ids of the Security Command Center sources that are believed."
  type        = set(string)
}
