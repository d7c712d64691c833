"""Bytes on the wire: one UDP port, ICE-lite, DTLS, SRTP, SCTP data channels, RTCP. Knows no tracks and no rooms.

`udpmux` receives and sends datagrams and finds the `Peer` they belong to; `stun` answers connectivity checks;
`peer` is one BUNDLE transport; `aiortc_adapter` is the only module that touches aiortc.
"""
