"""A finished recording seen as the fragments of which it was written.

The recorder's MP4 is an ordinary one, with an index (`moov`) at its end that grows by 1.2 MB per hour. All fragments
(`moof` and `mdat`) with which it began are still in it, as the content of its one large `mdat`, and so is their common
header. `boxes` finds them, `index` keeps where they are (10 KB per hour), `playlist` tells it to HLS players, `stream`
to everybody else: as a fragmented MP4 whose first bytes are its index and whose other bytes are the stored file's.

Pure computation on bytes and seekable files: nothing else of ours is imported.
"""
