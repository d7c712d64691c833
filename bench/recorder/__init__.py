"""CPU of a recording beside the bare x264 encode of the same pictures, in one run.

`run` measures, `clips` makes the participants. Included: journal written and read back, decode, composition, mix, H264
and AAC encode, MP4. Not included: network, SRTP and reordering.
"""
