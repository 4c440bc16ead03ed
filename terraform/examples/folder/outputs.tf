output "collector_repository" {
  description = "Where make collector pushes the collector's image to."
  value       = module.responder.collector_repository
}

output "console" {
  description = "What terraform/console makes the console's service from, where one is asked for."
  value       = module.responder.console
}

output "identity" {
  description = "Who the responder is to clusters: both names go into terraform/kubernetes/identity.yaml."
  value       = module.responder.identity
}

output "responder" {
  description = "What cluster teams and operators need to know."
  value       = module.responder
}

output "run_writer" {
  description = "Who changes Cloud Run, where anybody does."
  value       = module.responder.run_writer
}

output "settings" {
  description = "What scc-responder doctor is told: terraform output -raw settings > responder.env."
  value       = module.responder.settings
}

output "signing_key" {
  description = "The key version that signs evidence, where there is one."
  value       = module.responder.signing_key
}

output "undo_identity" {
  description = "Who takes changes back: both names go into terraform/kubernetes/undo/identity.yaml."
  value       = module.responder.undo_identity
}

output "url" {
  description = "Where approvers ask: terraform output -raw url."
  value       = module.responder.url
}
