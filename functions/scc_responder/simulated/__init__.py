"""A small cluster that is not there: an HTTP server with the API server's semantics for what the responder uses."""
