"""How soon a recording of hours begins, and how soon it is somewhere else, in real browsers.

- `run`   the measurement
- `hours` a recording as long as wanted, made of a short one
- `line`  a slow line between browser and server
"""
