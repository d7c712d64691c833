"""`meet demo`: the whole product in a minute, and the robots that the end-to-end tests use too.

`robot` publishes generated video and sound through the `livekit` SDK; `run` starts a server, lets two robots meet,
records them through REST and looks into the MP4.
"""

from meet.demo.run import run

__all__ = ["run"]
