"""What is raised when the archive of a user cannot be used.

Apart from the archive, so that who catches it need not load SQLite. Must never stand for a mistake
of ours; its text says why and what to do.
"""


class ArchiveError(Exception):
    """The archive cannot be used; the text says why and what to do."""
