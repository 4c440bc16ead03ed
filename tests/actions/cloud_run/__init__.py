"""Tests of `actions/cloud_run/`."""
