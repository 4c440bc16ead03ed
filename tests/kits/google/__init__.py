"""Google's side in tests: its APIs as local gRPC servers, and its emulators."""
