"""Storage side by side: a recording stored behind its making, against one stored when it is over."""
