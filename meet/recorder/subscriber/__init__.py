"""Joining a room as a hidden subscriber and handing on encoded frames.

- `signalling` the LiveKit WebSocket (signalling v0: the server offers, we answer), token included
- `ice`        the controlling side of ICE towards a server, on one UDP socket
- `transport`  ICE + DTLS + SRTP; RTP in, RTCP both ways
- `stream`     one SSRC: reorder, NACK, frames out
- `depacketize` packets of one timestamp to one encoded frame
- `answer`     our SDP
- `session`    one stay in a room, from join to leave
- `recording`  stays one after the other until the meeting is over, written into the journal

It works against our media server and against a LiveKit server alike.
"""
