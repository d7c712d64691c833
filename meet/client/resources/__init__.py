"""The operations, one file per resource; each class of operations serves both clients."""
