"""Tests of `cli/notify`."""
