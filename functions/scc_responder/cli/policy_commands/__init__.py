"""The commands under `scc-responder policy`: one module each, with `add_options` and `run`."""
