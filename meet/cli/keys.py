"""`meet keys`."""

from __future__ import annotations

import click

from meet.cli.connection import Session, operator, yes_option
from meet.cli.output import EXIT_NOT_FOUND, confirm, fail, moment, print_answer, print_json


@click.group()
def keys() -> None:
    """The API key of integrations: show, create, revoke. Needs an administrator's login."""


@keys.command()
@operator(admin=True)
def show(session: Session) -> None:
    """Print the API key."""
    found = session.client.api_keys.list()
    if session.as_json:
        print_json([key.to_json() for key in found])
    elif not found:
        fail("there is no API key; `meet keys create` makes one", EXIT_NOT_FOUND)
    for key in found if not session.as_json else ():
        print_answer(key, [("key", key.key), ("created", moment(key.creation_date))], as_json=False)


@keys.command()
@yes_option
@operator(admin=True)
def create(session: Session, yes: bool) -> None:
    """Make an API key and print it. The former one stops working."""
    if session.client.api_keys.list():
        confirm("The present API key will stop working. Go on?", yes=yes)
    key = session.client.api_keys.create()
    print_answer(key, [("key", key.key), ("created", moment(key.creation_date))], as_json=session.as_json)


@keys.command()
@yes_option
@operator(admin=True)
def revoke(session: Session, yes: bool) -> None:
    """Delete the API key: integrations and webhooks stop until there is another."""
    confirm("Integrations and webhooks will stop working. Go on?", yes=yes)
    answer = session.client.api_keys.delete()
    print_answer(answer, [("done", answer.message)], as_json=session.as_json)
