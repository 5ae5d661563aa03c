"""The command line: a table of commands, and the code of those that need their own."""

from mockchat.core.words import AdviceError


class UsageError(AdviceError):
    """The arguments or the file of a command are wrong."""

    status = 2
