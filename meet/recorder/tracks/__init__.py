"""What a journal that was kept can still become: each track as a file of its own, or another composite.

- `file`      one track into one file, as it was received: H264 into MP4, VP8 and Opus into WebM
- `extract`   one track as the whole recording, as LiveKit's StartTrackEgress wants it
- `export`    all tracks and `manifest.json`, which says where each lies on the recording's timeline
- `recompose` another layout or encoding from the same journal

Nothing is transcoded for tracks, so a track costs about as much CPU as copying it.
"""
