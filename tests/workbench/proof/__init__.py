"""Tests of what is proved of policies."""
