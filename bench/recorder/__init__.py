"""CPU of a recording beside its yardsticks, measured in turns in one run.

- `clips`   the participants
- `codecs`  the bare x264 encode of the same pictures; the bare decoders, and AAC of the same sound
- `cli`     the ffmpeg command line making the same file
- `live`    SRTP, reordering and frames out of packets, which come before the journal in a live meeting
- `run`     takes turns and prints the ratios
- `people`  the participants in a real meeting
- `viewer`  a browser in that meeting, filmed by ffmpeg
- `browser` our recorder in that meeting, live and composing later, beside the viewer
- `resume`  what it costs to go on with a long recording after a crash
- `start`   how long it takes from the POST to an active recording

"Recording" in `run` is journal written and read back, decode, composition, names, mix, H264 and AAC encode, MP4; not
ICE, signalling and the event loop. In `browser` it is all that the process does.
"""
