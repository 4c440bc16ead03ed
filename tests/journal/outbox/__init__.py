"""Tests of `journal/outbox`."""
