"""Ranges: whole numbers between two bounds as a regular expression, where texts stand for them."""


def whole(least: int, most: int) -> str:
    """Return what matches the whole numbers from `least` to `most`, without leading zeros."""
    ways = ["0"] if least == 0 else []
    at = max(least, 1)
    while at <= most:
        end = min(most, 10 ** len(str(at)) - 1)
        if at == 10 ** (len(str(at)) - 1):  # as many lengths at once as are in it in full
            full = len(str(most + 1)) - 1
            if full >= len(str(at)):
                ways.append(f"[1-9]{_digits(len(str(at)) - 1, full - 1)}")
                at = 10**full
                continue
        ways.append(_of_a_length(str(at), str(end)))
        at = end + 1
    return "|".join(ways)


def _of_a_length(low: str, high: str) -> str:
    if low == high:
        return low
    if low[0] == high[0]:
        return low[0] + _of_a_length(low[1:], high[1:])
    rest = len(low) - 1
    first, last, ways = int(low[0]), int(high[0]), []
    if low[1:].strip("0"):
        ways.append(low[0] + _of_a_length(low[1:], "9" * rest))
        first += 1
    if high[1:].strip("9"):
        ways.append(high[0] + _of_a_length("0" * rest, high[1:]))
        last -= 1
    if first <= last:
        ways.append((str(first) if first == last else f"[{first}-{last}]") + _digits(rest, rest))
    return ways[0] if len(ways) == 1 else f"({'|'.join(ways)})"


def _digits(least: int, most: int) -> str:
    if least == most:
        return f"[0-9]{{{most}}}" if most else ""
    return f"[0-9]{{{least},{most}}}"
