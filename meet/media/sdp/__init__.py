"""Session descriptions as far as an SFU needs them: `parse` reads a client's text, `codecs` finds payload types in it,
`write` makes our own. No state, no I/O.
"""
