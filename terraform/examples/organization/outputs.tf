output "responder" {
  description = "What cluster teams and operators need to know."
  value       = module.responder
}
