"""The recorder: one process per recording, from the first packet to the file in storage.

    subscriber -> journal -> composer -> spool/<egressId>/composite.mp4 -> storage

- `main`        one recording from start, or from where a crash left it; records until it has to stop
- `finishing`   from the last record to the final state
- `composing`   the composer's thread, and what it tells the event loop
- `pieces`      what dead processes composed: cut, gone on with; joined where that is impossible
- `standing`    where the recording stands: written durably, then told to the control
- `subscriber/` joins the room hidden, receives encoded frames
- `journal/`    what was received, append-only, checksummed, fsynced
- `composer/`   reads only the journal: decodes, lays out, mixes, encodes, writes fragmented MP4
- `quarantine/` what a dead process was decoding, and what is not decoded any more
- `tracks/`     what a kept journal can still become: files of single tracks, another composite
- `finish`      checks the file, puts it into storage, and only then lets go of the journal
- `manifest`    what LiveKit's egress tells of a file, beside it
- `limits`      when a running recording has to end: disk reserve, duration, size
- `cutoff`      remembers that a full disk cut the journal off
- `durable`     files that survive a power cut
- `jsonfile`    JSON objects that may be damaged
- `link`        status and commands, over `run/egress.sock`
- `state`       the one-way status machine in `state.json`
- `control/`    the other end, in the media process: start, stop, watch, remember

Nothing outside this folder depends on how a recording is made; the media process knows `control`, the command line
knows `main` and `tracks`, and who deletes recordings knows `tracks.kept`.
"""
