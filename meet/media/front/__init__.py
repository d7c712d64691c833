"""Several media processes on one machine: workers that hold rooms, and the front that listens and knows who has which.

A room lives in exactly one worker. The front reads the head of a client's request, finds the room in its token, and
hands the open connection over (SCM_RIGHTS): from then on client and worker talk without it, so a front that dies
disturbs no meeting. Under TLS the front keeps the connection and hands over one end of a socket pair. Server API calls
are routed by the room in their body. With `MEET_MEDIA_PROCESSES=1` nothing of this runs.

front:
- `server`    put together, started, stopped
- `door`      a connection up to its request's head, then handed over or answered here; `pump` carries TLS clients
- `head`      what a request's head says: its path, and the room of its token
- `calls`     which room a server API call is about; `forward` takes it there, or to all, and merges
- `fleet`     the workers as the front sees them; `placement` decides and remembers where a room lives
- `drain`     moves the rooms of a worker that wants to stop
- `metrics`   one `/metrics` of all workers, label `worker`
worker:
- `worker`    a media server that takes clients from the front
- `duty`      its end of the channel: what it tells, what it is told
both:
- `channel`   messages and open sockets between the two, in order
- `places`    where the Unix sockets lie
"""
