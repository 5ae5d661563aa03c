"""The log that SQLite writes ahead of its database: how much of it damage takes away."""

import struct

_HEADER, _FRAME = 32, 24  # bytes before all frames, and before the page of a frame
_SUMMED = 24  # bytes of the header that its checksum covers
_WORD = 0xFFFFFFFF


def lost_bytes(log: bytes) -> int:
    """Return the number of bytes from a damaged frame to the last commit behind it, or 0.

    SQLite reads up to the first wrong checksum and forgets the rest without a word, since a crash
    may cut the last write short. But then no commit follows, for frames are written in order.
    The format: https://sqlite.org/fileformat2.html#walformat.
    """
    if len(log) <= _HEADER:
        return 0
    order = ">" if log[3] & 1 else "<"
    sums = _sums(log[:_SUMMED], order, (0, 0))
    if sums != struct.unpack(">2I", log[_SUMMED:_HEADER]):
        return len(log)
    salt, size = log[16:24], _FRAME + int.from_bytes(log[8:12], "big")
    starts = range(_HEADER, len(log) - size + 1, size)
    for damaged in starts:
        frame = log[damaged : damaged + size]
        sums = _sums(frame[:8] + frame[_FRAME:], order, sums)
        if frame[8:16] != salt or sums != struct.unpack(">2I", frame[16:_FRAME]):
            break
    else:
        return 0
    for start in reversed(starts[starts.index(damaged) + 1 :]):
        is_commit = any(log[start + 4 : start + 8])
        if is_commit and log[start + 8 : start + 16] == salt:
            return start + size - damaged
    return 0


def _sums(content: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    """Return the checksum of the content so far and this content."""
    first, second = sums
    for one, other in struct.iter_unpack(f"{order}2I", content):
        first = (first + one + second) & _WORD
        second = (second + other + first) & _WORD
    return first, second
