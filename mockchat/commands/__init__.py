"""The command line: a table of commands, and the code of those that need their own."""


class CommandError(Exception):
    """A command failed; the message says why and what to do."""

    status = 1


class UsageError(CommandError):
    """The arguments or the file of a command are wrong."""

    status = 2
