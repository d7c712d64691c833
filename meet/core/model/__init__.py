"""Values of the domain, without behaviour that needs the outside.

Top-level things are frozen dataclasses; the nested documents that travel to clients and into the database unchanged
(config, roles, encoding) are TypedDicts with their wire names, so that no layer has to copy them.
"""
