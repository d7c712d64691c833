"""Who receives which publication: the participant's wish and all permissions in one place."""

from __future__ import annotations

from collections.abc import Iterable

from meet.media.room.model import ParticipantState
from meet.media.room.participant import Participant
from meet.media.room.publication import Publication


def permitted(subscriber: Participant, publication: Publication) -> bool:
    """May this participant receive the publication, whether it wants to or not?"""
    return (
        subscriber is not publication.owner
        and subscriber.permission.can_subscribe
        and publication.owner.allows_subscription(subscriber, publication.sid)
    )


def settle(subscriber: Participant, publication: Publication) -> None:
    """Make the subscriber's link receive the publication, or not, as wish and permissions now say."""
    present = subscriber.state in (ParticipantState.JOINED, ParticipantState.ACTIVE)
    wanted = subscriber.subscription_choices.get(publication.sid, subscriber.auto_subscribe)
    if present and publication.live and wanted and permitted(subscriber, publication):
        subscriber.link.subscribe(publication)
    else:
        subscriber.link.unsubscribe(publication)


def settle_all(subscriber: Participant, publications: Iterable[Publication]) -> None:
    for publication in publications:
        settle(subscriber, publication)


def forget(subscriber: Participant, publication: Publication) -> None:
    """The publication has ended."""
    subscriber.subscription_choices.pop(publication.sid, None)
    subscriber.link.unsubscribe(publication)
