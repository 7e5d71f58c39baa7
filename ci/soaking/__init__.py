"""A long run: daemons that fail, subscribers of all kinds, and a report of what became of it.

The daemons run in one process, the subscribers in another, whose memory, descriptors and threads
are watched. Everything that is sent has a number, so that a loss or a repetition is seen.
"""
