"""`python -m meet` is the `meet` command."""

from meet.cli import main

main()
