"""What many tests are made of: a responder with real parts, stores that fail, proxies, Google's side."""
