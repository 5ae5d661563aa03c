"""Verify: plays the same requests to the live service and to mockchat, and compares the answers."""


class VerifyError(Exception):
    """The live service cannot be asked; the message says why and what to do."""
