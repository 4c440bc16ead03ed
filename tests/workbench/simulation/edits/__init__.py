"""Tests of the edits of policies."""
