output "url" {
  description = "Where the console is. Null where there is none."
  value       = one([for console in local._consoles : console.environment.SCC_RESPONDER_CONSOLE_URL])
  depends_on  = [google_cloud_run_v2_service_iam_member.iap, google_iap_web_cloud_run_service_iam_member.visitor]
}
