"""The journal: everything a recording is made of, appended and checksummed before anything is decoded.

A journal is a directory of segments `000001.seg`, `000002.seg`, ... A process never appends to a segment of an earlier
process: it begins the next one, so a torn tail stays where the crash left it. A segment is the magic `MEETJRN1`
followed by records

    u32 length of body | u32 CRC-32 of body | body = u8 kind + fields     (little endian)

`at` is unix time in microseconds on the recorder's steady clock (wall clock at process start plus monotonic time), RTP
times are unwrapped to 64 bits. Kinds and fields are in `records`. `writer` appends on its own thread and fsyncs at
least once a second (group commit); `reader` follows a growing journal or reads a finished one. Whoever composes reads
only this. `scan` finds the records in a segment's bytes, also behind damaged ones; `context` says again what stands
beside the media, and puts it right behind damage. `summary` is what a process that comes back must know, kept beside
every completed segment so that a long journal need not be read for it.
"""
