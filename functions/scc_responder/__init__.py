"""Contain the threats that Security Command Center finds in GKE and Cloud Run."""

__version__ = "0.1.0"
