"""What kills or hangs a decoder is not given to it for ever.

A recorder notes what it is giving to native code (`note`). A process that follows a dead one reads the note, counts the
death and decides (`ledger`): what has killed twice is left out of the journal's records (`admit`), and a meeting whose
composer dies again and again is only journaled until it is over.
"""
