"""`meet serve`: the small parent that starts every other process and restarts what dies.

- `run`      start order, readiness, shutdown (what `meet serve` does)
- `child`    one child process: start, restart with backoff, stop, kill when it hangs
- `lifeline` the pipe on which a child says that it is ready and, if it is watched, that it still lives
- `recorders` one process per recording; start-up recovery from the spool
- `spares`    recorders that are ready before they are needed; `spare` is one
- `forks`     the fork server, which makes them in milliseconds, as the supervisor has it; `forking` is its own side
- `control`  the Unix socket on which the media process asks for a recorder, and an operator for a drain; `ask` asks
- `listening` sockets that outlive the process that accepts on them
- `ready`    what a child does to say that it is ready and still lives, and to die with its parent
- `lock`     one instance per data directory

It holds no meeting state and imports nothing heavy, so there is nothing in it to crash.
"""
