variable "ingress" {
  description = "From where the console can be opened, by those whom Identity-Aware Proxy lets in: `INGRESS_TRAFFIC_ALL`, or `INGRESS_TRAFFIC_INTERNAL_ONLY` from your networks alone."
  type        = string
  default     = "INGRESS_TRAFFIC_ALL"
  nullable    = false

  validation {
    condition     = contains(["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY"], var.ingress)
    error_message = "The ingress must be INGRESS_TRAFFIC_ALL or INGRESS_TRAFFIC_INTERNAL_ONLY."
  }
}

variable "responder" {
  description = "The output `console` of the responder's module: whose console this is. Null where that has none, and then nothing is made."
  type = object({
    build_identity = string
    environment    = map(string)
    identity       = string
    image          = string
    labels         = map(string)
    members        = set(string)
    name           = string
    project_id     = string
    project_number = string
    region         = string
    runtime        = string
    source         = string
    subnetwork     = optional(string)
    undo = optional(object({
      environment = map(string)
      identity    = string
      name        = string
    }))
  })
  nullable = true
}
