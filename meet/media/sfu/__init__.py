"""Selective forwarding: published tracks with their simulcast layers, and one `DownTrack` per subscriber.

A packet enters at `UpStream`, is sliced once, and leaves through `fan_out` with a header of its own for each
subscriber. Nothing here knows SDP, signalling or rooms.
"""
