"""Notifications that nobody would send on purpose: structured at random, and found by coverage."""
