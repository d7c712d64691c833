"""From a journal to one file: the same code live behind the subscriber, after a crash, and for a finished journal.

- `compose`  the loop: records in, ticks out; every record moves time forward
- `result`   what was made, or why it was not
- `profile`  what to encode: the eight presets and the options object
- `scene`    who is in the picture and who is heard
- `seats`    who is seen when not everybody can be: stage and places, damped
- `layout`   where: rectangles of a grid, or of a stage and those below it
- `tiles`    rectangles, and equal tiles in rows
- `clock`    RTP time to recording time, by sender reports
- `video`    one video track: encoded frames in, the newest due picture out
- `opus`     libopus: decoding, error correction, concealment
- `audio`    one audio track: Opus in, samples on the timeline out; and the mix
- `limiter`  turns the mix down where it would be too loud, in time and slowly
- `offsets`  how far sound and picture of one person are apart
- `picture`  arranges the tiles; its sheets take turns
- `sheet`    a canvas and what is on it; draws or copies only what differs
- `canvas`   one YUV420P picture, drawn in place
- `overlay`  names and initials, rendered once, blended cheaply
- `rows`     copying and blending planes, in Python or compiled
- `text`     letters of any script to masks
- `encoder`  H264 and VP8 encoders in three speeds
- `aac`      two channels at the price of one while they are the same
- `output`   encoders into a file: MP4, WebM or Ogg; either stream may be left out
- `seam`     where a composition goes on that another process began
- `made`     what earlier processes have put into files, packet by packet
- `again`    a file that is written once more, to go on behind its end
- `overload` less picture while the machine is too busy

Output has a constant frame rate: tick k lies at k / fps and shows what was captured until then. It is drawn `DELAY_US`
later, when reordered and retransmitted packets have arrived.

Ticks are made several at a time: first each track is decoded for all of them, then they are drawn, encoded, and their
sound is decoded and mixed. Turn by turn within every tick, each of these would find the processor's caches full of the
others' code and pictures.
"""
