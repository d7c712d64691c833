"""From a journal to one MP4: the same code live behind the subscriber, after a crash, and for a finished journal.

- `compose`  the loop: records in, ticks out; every record moves time forward
- `profile`  what to encode: the eight presets and the options object
- `scene`    who is in the picture and who is heard
- `layout`   where: rectangles of a grid, or of a speaker and a strip
- `clock`    RTP time to recording time, by sender reports
- `video`    one video track: encoded frames in, the newest due picture out
- `audio`    one audio track: Opus in, samples on the timeline out; and the mix
- `canvas`   one YUV420P picture, drawn in place
- `output`   H264 + AAC into a fragmented MP4

Output has a constant frame rate: tick k lies at k / fps and shows what was captured until then. It is drawn `DELAY_US`
later, when reordered and retransmitted packets have arrived.
"""
