"""Tests of `pipeline/notices`."""
