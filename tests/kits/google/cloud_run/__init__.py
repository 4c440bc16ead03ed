"""Cloud Run's Admin API on this machine: `server.py` speaks it, `world.py` holds what it is about."""
