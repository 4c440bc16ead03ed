"""Tests of `domain/changes/cloud_run/`."""
