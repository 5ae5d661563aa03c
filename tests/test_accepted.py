"""What the OpenAPI document says of a control request's field is what the field takes."""

import re
from datetime import date
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from marshmallow import ValidationError

from mockchat.api.validation import Field, Flag, String, Whole
from mockchat.control.fields import AppId, Instant, Share, Span
from mockchat.wire import accepted, ranges
from tests.strategies import json_values

FIELDS: dict[str, Field] = {
    **{type(one).__name__: one for one in (AppId(), Span(), Share(), Instant(), Flag(), String())},
    **{
        f"Whole-{least}-{most}": Whole(least, most)
        for least, most in ((0, 599), (200, 599), (1, 10_000), (0, 10**18 - 1))
    },
}
SPACES = st.sampled_from(["", " ", "\t", " \r\n"])
numbers = st.integers(-(10**19), 10**19) | st.floats(allow_nan=False) | st.integers(-5, 700)
number_texts = numbers.map(str) | st.from_regex(r"[-+]?[0-9]{1,11}(\.[0-9]{1,10})?", fullmatch=True)
duration_texts = st.builds(
    "{}{}".format, number_texts, st.sampled_from(["ms", "s", "m", "h", "d", "w", "S"])
)
dates = st.builds("{:04}-{:02}-{:02}".format, st.integers(1960, 2200), *[st.integers(0, 32)] * 2)
times = st.from_regex(r"[T ][0-2][0-9]:[0-6][0-9](:[0-6][0-9](\.[0-9]{1,7})?)?", fullmatch=True)
zones = st.sampled_from(["", "Z", "z", "+01:00", "-23:59", "+24:00", "+0100"])
instant_texts = st.builds("{}{}{}".format, dates, times | st.just(""), zones)
texts = number_texts | duration_texts | instant_texts | st.text(max_size=70)
values = json_values | numbers | texts | st.builds("{}{}{}".format, SPACES, texts, SPACES)


def takes(field: Field, value: Any) -> bool:
    try:
        field.deserialize(value)
    except ValidationError:
        return False
    return True


def is_odd(value: Any) -> bool:
    """White space beyond JSON's, and numbers beyond those that its readers agree on."""
    spaces = isinstance(value, str) and bool(re.search(r"[^\S \t\r\n]|[\x1c-\x1f]", value))
    large = isinstance(value, int | float) and abs(value) >= 2**63
    return spaces or large


@pytest.mark.parametrize("name", FIELDS)
@given(value=values)
@example(value="2028-02-29")
@example(value="2100-02-29")
@example(value="999999999.999999999")
@example(value=True)
def test_a_field_takes_what_is_described_and_nothing_else(name: str, value: Any) -> None:
    field = FIELDS[name]
    described = Draft202012Validator(accepted.in_body(field))

    assert is_odd(value) or takes(field, value) is described.is_valid(value)


@given(st.dates(date(1971, 1, 1), date(2189, 12, 31)), st.sampled_from(["", "Z", "-23:59"]))
def test_every_day_is_an_instant(day: date, zone: str) -> None:
    assert takes(Instant(), f"{day}")
    assert takes(Instant(), f"{day}T12:30:59.5{zone}")


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.data())
def test_a_range_matches_its_numbers_and_no_others(
    one: int, other: int, data: st.DataObject
) -> None:
    least, most = sorted((one, other))
    near = st.sampled_from([least - 1, least, most, most + 1]) | st.integers(0, 2 * 10**6)
    number = data.draw(near.filter(lambda number: number >= 0))

    matched = re.fullmatch(ranges.whole(least, most), str(number)) is not None

    assert matched is (least <= number <= most)
