"""Handlers of our own operations (`openapi/meet-extra`), beyond what the OpenVidu Meet dialect has."""
