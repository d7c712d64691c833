"""SFU packet cost: process CPU per forwarded packet, beside the bare cost of encrypting and sending one.

`python -m bench.sfu` starts `generator.py` (paced SRTP sources and the sink) in its own process and forwards through
the real objects: UDP mux, SRTP, UpStream, DownTrack, fan_out.
"""
