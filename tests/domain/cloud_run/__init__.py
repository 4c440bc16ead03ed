"""Tests of `domain/cloud_run`."""
