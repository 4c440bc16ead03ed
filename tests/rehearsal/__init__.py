"""What Terraform would deploy, run on this machine: only addresses differ."""
