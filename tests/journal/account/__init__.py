"""The account of a case."""
