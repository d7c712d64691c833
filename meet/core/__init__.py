"""The domain: rooms, recordings, tokens, permissions, users and the jobs that keep them consistent.

Nothing here knows HTTP, SQL or sockets. `model/` holds the values, `ports.py` the interfaces the outside implements
(repositories, media server, blob store, clock), `errors.py` the one error tree; the rest are services, one idea per
file. `services.py` wires them together for the composition root.
"""
