"""`meet webhooks`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from meet.cli.connection import Session, operator
from meet.cli.output import (
    fail,
    limit_option,
    moment,
    note,
    page_size,
    print_answer,
    print_json,
    print_list,
)

if TYPE_CHECKING:
    from meet.client import Delivery

_STATUS = click.Choice(["pending", "delivered", "failed", "discarded"])
_EVENT = click.Choice(["meetingStarted", "meetingEnded", "recordingStarted", "recordingUpdated", "recordingEnded"])


@click.group()
def webhooks() -> None:
    """Webhook deliveries: list, show, redeliver, test. `meet config set webhooks.url=...` says where they go."""


def _outcome(delivery: Delivery) -> str:
    return " ".join(filter(None, (str(delivery.response_status or ""), delivery.error or "")))


def _row(delivery: Delivery) -> tuple[str, ...]:
    return (
        delivery.delivery_id,
        delivery.event,
        delivery.subject,
        delivery.status,
        str(delivery.attempts),
        moment(delivery.creation_date),
        _outcome(delivery),
    )


@webhooks.command("list")
@click.option("--status", type=_STATUS)
@click.option("--event", type=_EVENT)
@click.option("--subject", help="Only about this room or recording.")
@limit_option
@operator()
def list_deliveries(session: Session, status: str | None, event: str | None, subject: str | None, limit: int) -> None:
    """List deliveries, newest first."""
    found = session.client.webhooks.iterate(status=status, event=event, subject=subject, max_items=page_size(limit))
    columns = ("DELIVERY", "EVENT", "SUBJECT", "STATUS", "ATTEMPTS", "HAPPENED", "LAST ANSWER")
    print_list(found, columns, _row, limit=limit, as_json=session.as_json, empty="no deliveries")


@webhooks.command()
@click.argument("delivery_id")
@operator()
def show(session: Session, delivery_id: str) -> None:
    """Show a delivery with what was sent."""
    delivery = session.client.webhooks.get(delivery_id)
    facts = [
        ("delivery", delivery.delivery_id),
        ("event", delivery.event),
        ("subject", delivery.subject),
        ("happened", moment(delivery.creation_date)),
        ("status", delivery.status),
        ("attempts", str(delivery.attempts)),
        ("last attempt", moment(delivery.last_attempt_date)),
        ("next attempt", moment(delivery.next_attempt_date)),
        ("delivered", moment(delivery.delivered_date)),
        ("last answer", _outcome(delivery)),
        ("payload", json.dumps(delivery.payload, ensure_ascii=False) if delivery.payload else ""),
    ]
    print_answer(delivery, facts, as_json=session.as_json)


@webhooks.command()
@click.argument("delivery_ids", nargs=-1)
@click.option("--failed", is_flag=True, help="Everything that failed for good.")
@operator()
def redeliver(session: Session, delivery_ids: tuple[str, ...], failed: bool) -> None:
    """Send deliveries once more, whatever has become of them; oldest first."""
    if bool(delivery_ids) == failed:
        raise click.UsageError("name deliveries, or say --failed")
    client = session.client.webhooks
    if failed:
        wanted = client.iterate(status="failed", sort_order="asc", max_items=100)
        delivery_ids = tuple(delivery.delivery_id for delivery in wanted)
    sent = [client.redeliver(delivery_id) for delivery_id in delivery_ids]
    if session.as_json:
        print_json([delivery.to_json() for delivery in sent])
        return
    for delivery in sent:
        click.echo(f"{delivery.delivery_id} waits to be sent")
    if not sent:
        note("nothing has failed")


@webhooks.command()
@click.argument("receiver", required=False)
@operator(admin=True)
def test(session: Session, receiver: str | None) -> None:
    """Send one signed test event to a receiver's URL, or to the one that is configured."""
    target = receiver or session.client.config.get_webhooks().url
    if not target:
        fail("no address is configured; give one")
    answer = session.client.config.test_webhook(target)
    print_answer(answer, [("done", answer.message)], as_json=session.as_json)
