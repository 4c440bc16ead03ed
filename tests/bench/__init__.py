"""What the deployed function costs, against the floor that it stands on."""
