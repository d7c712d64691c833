"""The base URL for links that are made outside of a request: in webhooks (contract 1.1, rule 2)."""

from __future__ import annotations


class PublicUrl:
    """The last base URL under which this server was reached, `initial` before that.

    Participants come by the address that links should have; an integration may be on an inner network, so what it uses
    counts only until the first participant."""

    def __init__(self, initial: str) -> None:
        self._url = initial
        self._participants = False

    @property
    def current(self) -> str:
        """Without trailing slash."""
        return self._url

    def seen_by_participant(self, base_url: str) -> None:
        self._url, self._participants = base_url, True

    def seen_by_integration(self, base_url: str) -> None:
        if not self._participants:
            self._url = base_url
