"""The tests, and the parts of the world that they start."""
