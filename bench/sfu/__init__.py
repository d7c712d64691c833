"""What forwarding costs: process CPU per packet sent, loop lag, forwarding delay and losses, beside Debian's janus.

`python -m bench.sfu` runs, each in a fresh process and in turns: the embedded SFU in pure Python, compiled without
segmentation (sendmmsg only), compiled, and janus. `load.py` is the load: paced SRTP sources and one socket for every
subscriber, the same for all. The embedded SFU (`embedded.py`) is its real objects (UDP mux, SRTP, UpStream, DownTrack,
fan_out) with a fixed SRTP key; `generator.py` loads it from another process. janus (`janus.py`) runs its video room,
with publishers and subscribers that have gone through signalling, ICE and DTLS, in a network namespace of its own.
"""
