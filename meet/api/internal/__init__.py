"""Handlers of the internal API (`openapi/meet-internal`), which only the server's own pages use."""
