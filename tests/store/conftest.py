"""Google's side, for the tests in this folder."""

from __future__ import annotations

from tests.google.fixtures import firestore

__all__ = ["firestore"]
