"""A policy's condition as a tree, for who checks what it means. A running function only evaluates conditions."""
