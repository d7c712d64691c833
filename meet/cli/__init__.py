"""The `meet` command.

`root` names the commands and loads the file of one only when it is called, so that `meet --help` is instant.
`serve`, `processes`, `credentials` and `demo` run the product; `recovery` lets in who is locked out of it. `rooms`,
`recordings`, `users`, `keys`, `webhooks` and `config` are for operators: they talk to a running server through
`meet.client`, as `connection` finds it, and print as `output` says. `doctor` reports what `meet.doctor` finds.
"""

from meet.cli.root import main

__all__ = ["main"]
