"""Where a recording's file is, for whoever plays or saves it."""

from __future__ import annotations

import structlog

from meet.core.errors import MeetError
from meet.core.model.recording import Recording
from meet.core.ports import RecordingRepository
from meet.core.recording_errors import RecordingElsewhere
from meet.core.store_ports import RecordingPlaces
from storage import BlobNotFound, Found, Stores, StoreUnknown

log = structlog.get_logger(__name__)


class RecordingFiles:
    """Looks where the database says and, when the file is not there, in the other stores that are known."""

    def __init__(self, stores: Stores, recordings: RecordingRepository, places: RecordingPlaces) -> None:
        self._stores = stores
        self._recordings, self._places = recordings, places

    async def find(self, recording: Recording) -> Found:
        """The file and its store. What the database did not know, or had wrong, it is told.

        Raises RecordingElsewhere, BlobNotFound when the file is lost, and what the stores raise."""
        try:
            found = await self._stores.find(recording.key, recording.store, recording.size)
        except StoreUnknown as error:
            log.warning("recording_in_unknown_store", recording=recording.recording_id, store=error.name)
            raise RecordingElsewhere(recording.recording_id) from error
        except BlobNotFound as error:
            moved = await self._recordings.get(recording.recording_id)
            if moved is not None and moved.store != recording.store:  # since it was read
                return await self.find(moved)
            if recording.store is None:
                raise RecordingElsewhere(recording.recording_id) from error
            raise
        # What was copied here by hand may still be there: only a move says that this does not matter.
        believed = recording.store is None or self._stores.knows(recording.store)
        if found.name != recording.store and believed:
            try:
                await self._places.move(recording, found.name, copy_stays=False)
            except MeetError as error:  # a full disk keeps nobody from playing
                log.warning("recording_store_not_noted", recording=recording.recording_id, reason=error.message)
        return found
