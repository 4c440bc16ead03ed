"""The collector: its own tests, its image, and what it says of real processes in namespaces that a test makes."""
