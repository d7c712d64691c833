"""Handlers of the public API (`openapi/meet`): one module per resource."""
