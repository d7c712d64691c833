"""A participant without codecs: real signalling, ICE, DTLS and SRTP, made-up payloads.

Hundreds of them come and go in the time in which the SDK starts one, so they serve for leaks, floods and crowds.
"""

from tests.support.light.participant import LightParticipant
from tests.support.light.transport import LightTransport

__all__ = ["LightParticipant", "LightTransport"]
