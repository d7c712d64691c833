"""CPU of a recording beside its yardsticks, measured in turns in one run.

- `clips`   the participants
- `codecs`  the bare x264 encode of the same pictures; the bare decoders and AAC
- `cli`     the ffmpeg command line making the same file
- `live`    SRTP, reordering and frames out of packets, which come before the journal in a live meeting
- `run`     takes turns and prints the ratios
- `start`   how long it takes from the POST to an active recording

"Recording" is journal written and read back, decode, composition, names, mix, H264 and AAC encode, MP4. Not included:
ICE, signalling and the event loop.
"""
