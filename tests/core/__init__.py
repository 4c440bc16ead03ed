"""The parts that decide, without any server."""
