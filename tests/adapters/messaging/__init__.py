"""Tests of `adapters/messaging`."""
