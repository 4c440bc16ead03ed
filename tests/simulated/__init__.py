"""The story that the demonstration tells, and how it is checked."""
