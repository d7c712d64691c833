"""The optional compiled fast path: numbering, encryption and sending of forwarded packets in C, and copying and
blending of the recorder's tiles.

`meet/media/sfu/lane.py`, `meet/media/sfu/fanout.py` and `meet/recorder/composer/rows.py` are the reference and do
without it. `_lane.c`, `_outbox.c`, `_rows.c` and `_native.c` are built into `_native.abi3.so` by
`tools/build_native.py` where a C compiler and Python's headers are found (on Linux); `native.py` loads it and is the
only importer.
"""

from meet.media.fastpath.native import Mode, Outbox, open_outbox

__all__ = ["Mode", "Outbox", "open_outbox"]
