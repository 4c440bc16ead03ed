"""Notifications of every threat, shape and size: what becomes of each."""
