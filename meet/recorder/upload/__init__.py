"""Storing a recording while it is still being made.

`settled` tells how much of the growing file nobody will touch again, `behind` has it sent while the meeting runs, also
where another process has begun both, so that a stop has little left to do; `silence` notices a store that has stopped
answering. What is left is `meet.recorder.finish`'s work: it goes on with the parts that are noted.
"""
