"""LiveKit client signalling, v0 (two peer connections) and v1 (one): WebSocket and protobuf on one side, the room
layer and the SFU on the other. With `twirp` and `hooks` the only code that knows `livekit.protocol`.
"""
