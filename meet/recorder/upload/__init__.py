"""Storing a recording while it is still being made.

`settled` tells how much of the growing file nobody will touch again, `behind` has it sent while the meeting runs, so
that a stop has little left to do; `silence` notices a store that has stopped answering. What is left, and everything
after a crash, is `meet.recorder.finish`'s work: it goes on with the parts that are noted.
"""
