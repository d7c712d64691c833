"""meet: a self-hosted meeting and recording backend.

Reading order: `cli` (commands) -> `config` (settings) -> `supervisor` (processes) -> `app` (composition of the
backend). Layers point one way: `api` -> `core` -> ports implemented by `db`, `livekit` and `storage`; `http`
knows nothing of meetings; `media` and `recorder` are processes of their own; `process` is what all of them share.
"""

__version__ = "0.1.0"
