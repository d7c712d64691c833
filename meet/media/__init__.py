"""The embedded media server: LiveKit client signalling in front of an SFU that forwards RTP without decoding it.

Layers, each importing only what stands to its left:
`transport` (one UDP port, ICE-lite, DTLS, SRTP, SCTP, RTCP) and `sdp` (text in, text out) -> `sfu` (published
tracks, per-subscriber forwarding) -> `room` (rooms, participants, permissions; no sockets, no SDP) -> `gateway`
(LiveKit signalling; the protobuf user) -> `server.py` (the HTTP application) -> `main.py` (the process).
`twirp` and `hooks` stand beside the gateway: administration in, signed events out.
"""
