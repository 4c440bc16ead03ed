"""What performs the ports: the only importers of Google, Kubernetes and storage clients."""
