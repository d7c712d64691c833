"""Which store has a recording's file, while the configured one changes: the domain's recordings on `storage.Stores`.

`reading` finds a file, `deletion` removes all copies of it, `moving` brings files into the configured store (`meet
recordings move`), `survey` looks at the start for those of which the database does not say, and tells what is out of
reach.
"""
