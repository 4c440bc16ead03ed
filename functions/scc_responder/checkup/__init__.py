"""What `scc-responder doctor` asks of a deployment, and what the answers mean. Pure: who asks is given."""
