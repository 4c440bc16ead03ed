output "responder" {
  description = "What cluster teams and operators need to know."
  value       = module.responder
}

output "settings" {
  description = "What scc-responder doctor is told: terraform output -raw settings > responder.env."
  value       = module.responder.settings
}
