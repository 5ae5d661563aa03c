"""Matching: what patterns and filters mean, and what they say of what does not fit."""

import re
import time
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from mockchat.core.journal import Exchange, Filter, explain
from mockchat.core.matching import Pattern, RequestSummary
from tests.strategies import json_values

SUMMARY = RequestSummary("POST", "/users/u1", "create_user", "U1", "key")
BARE = RequestSummary("GET", "/", None, None, logs_in=True)
letters = st.text("ab*?[]{}.^$\\", max_size=4)


def exchange(body: bytes = b"{}", number: int = 1, status: int = 200) -> Exchange:
    sent: tuple[dict[str, str], bytes] = ({"X-One": "1"}, body)
    answered: tuple[dict[str, str], bytes] = ({}, b"")
    return Exchange(
        number, "APP_ID", 0.0, SUMMARY, "/users/u1", sent, answered, status, 0.0, secure=False
    )


# --- patterns -------------------------------------------------------------------------------
def naive(pattern: list[str], path: list[str]) -> bool:
    """What a pattern means, told as slowly as possible."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return naive(pattern[1:], path) or (bool(path) and naive(pattern, path[1:]))
    wild = re.sub(r"\\\*", ".*", re.escape(re.sub(r"\{[^{}]*\}", "*", pattern[0])))
    fits = bool(path) and re.fullmatch(wild, path[0], re.DOTALL) is not None
    return fits and naive(pattern[1:], path[1:])


@given(
    st.lists(st.sampled_from(["**", "*", "{uid}", "a*"]) | letters.filter(len), max_size=5),
    st.lists(letters.filter(len), max_size=6),
)
@example(["a*b*c*d"], ["a_b_cc_d"])
@example(["**", "a", "**", "b", "**"], ["_", "a", "_", "b", "_"])
def test_a_path_fits_as_its_pattern_says(pattern: list[str], path: list[str]) -> None:
    summary = SUMMARY._replace(path="/" + "/".join(path))

    assert Pattern(path="/" + "/".join(pattern)).fits(summary) is naive(pattern, path)


def test_no_pattern_makes_work_without_end() -> None:
    for pattern, path in (
        ("/" + "**/a/" * 60, "/" + "a/" * 2000),
        ("/" + "*a" * 200 + "b", "/" + "a" * 8000),
        ("/" + "**/*a*/" * 60 + "b", "/" + "a/" * 2000),
    ):
        assert not Pattern(path=pattern).fits(SUMMARY._replace(path=path.rstrip("/") + "/c"))


def test_a_thousand_patterns_take_no_second_for_the_longest_path() -> None:
    paths = ("/" + "/".join(["a"] * 4000), "/" + "/".join(["xy"] * 2600), "/" + "x" * 8000)
    started = time.process_time()

    for number in range(1000):
        pattern = Pattern(path=f"/**/x{number}*y/**")
        assert not any(pattern.fits(SUMMARY._replace(path=path)) for path in paths)

    assert time.process_time() - started < 1


def test_none_fits_all_and_neither_case_nor_version_matters() -> None:
    assert Pattern().fits(SUMMARY)
    assert Pattern().fits(BARE)
    for uid in ("u1", "U1"):
        wanted = Pattern("create_user", "post", "/v3/users/*", uid, "key", logs_in=False)
        assert wanted.fits(SUMMARY)


def test_each_difference_is_named() -> None:
    patterns: list[tuple[Any, str]] = [
        ({"operation": "login"}, "operation is create_user, not login"),
        ({"method": "get"}, "method is POST, not GET"),
        ({"path": "/users"}, "path is /users/u1, not /users"),
        ({"uid": "u2"}, "uid is U1, not u2"),
        ({"credential": "token"}, "credential is key, not token"),
        ({"logs_in": True}, "is no login"),
    ]
    bare: list[tuple[Any, str]] = [
        ({"operation": "login"}, "operation is none, not login"),
        ({"uid": "u2"}, "uid is none, not u2"),
        ({"credential": "token"}, "credential is none, not token"),
        ({"logs_in": False}, "is login"),
    ]
    filters: list[tuple[Any, str]] = [
        ({"status": 404}, "status is 200, not 404"),
        ({"code": "X"}, "code is none, not X"),
        ({"headers": {"X-One": "2"}}, "header X-One is '1', not '2'"),
        ({"headers": {"X-Two": "2"}}, "header X-Two is None, not '2'"),
        ({"json": {"a": {"b": 2}}}, "json.a.b is 1, not 2"),
        ({"json": {"a": {"b": {"c": 2}}}}, "json.a.b is 1, not {'c': 2}"),
        ({"json": {"c": 1}}, "json.c is missing, not 1"),
        ({"json": [1]}, "json is {'a': {'b': 1}}, not [1]"),
        ({"since": 1}, "exchange #1 is not later than #1"),
        ({"cursor": 0}, "exchange #1 was there at 0"),
    ]

    for summary, rows in ((SUMMARY, patterns), (BARE, bare)):
        for wanted, difference in rows:
            assert list(Pattern(**wanted).mismatches(summary)) == [difference]
    for wanted, difference in filters:
        found = Filter(**wanted).mismatches(exchange(b'{"a": {"b": 1}}'))
        assert list(found) == [difference]


# --- filters --------------------------------------------------------------------------------
def test_part_of_the_json_is_enough() -> None:
    assert Filter(json={"a": {"b": 1}}).fits(exchange(b'{"a": {"b": 1, "c": 2}, "d": 3}'))


@given(json_values)
def test_what_is_no_json_never_fits_json(wanted: Any) -> None:
    assert wanted is None or not Filter(json=wanted).fits(exchange(b"{"))


# --- explanations ---------------------------------------------------------------------------
def test_nothing_at_all_is_explained() -> None:
    assert explain([], Filter(), []).startswith("the journal is empty: ")


def test_what_fits_is_listed() -> None:
    unanswered = exchange(number=2, status=0)
    unanswered.faults = ("latency", "reset")

    told = explain([exchange(), unanswered], Filter(), [])

    assert told.splitlines() == [
        "there were:",
        "  #1 POST /users/u1 -> 200 create_user uid=U1",
        "  #2 POST /users/u1 -> no answer create_user uid=U1 fault: latency, reset",
    ]
    assert list(Filter(status=404).mismatches(unanswered)) == ["status is none, not 404"]


def test_any_code_or_uid_is_one_short_word_of_the_line() -> None:
    words = {
        "A\nB\x1b[31m": r'"A\nB\u001b[31m"',
        "A\nB": r'"A\nB"',
        "A B": '"A B"',
        "A": "A",
        "A" * 101: "A" * 100,
    }
    for text, told in words.items():
        one = exchange()
        one.code, one.summary = text, SUMMARY._replace(uid=text)

        assert one.outcome() == f"{one.status} {told} create_user uid={told}"
        assert str(one).isprintable()
        assert [*Filter(code="Z").mismatches(one)] == [f"code is {text}, not Z"]


def test_the_nearest_is_the_newest_of_those_that_differ_least() -> None:
    journal = [exchange(b'{"a": 1}', 1), exchange(b'{"a": 2}', 2), exchange(b"[]", 3, status=500)]

    told = explain([], Filter(status=200, json={"a": 3}), journal)

    listed = [f"  {one}" for one in journal]
    nearest = ["    json.a is 2, not 3", '    sent: {"a": 2}', "  received (last 10):", *listed]
    assert told.splitlines() == [f"the nearest was {journal[1]}, but", *nearest]
    told = explain([], Filter(status=404, code="X"), [exchange(b"")])
    differences = ["    status is 200, not 404", "    code is none, not X"]
    assert told.splitlines()[1:4] == [*differences, "  received (last 10):"]


def test_an_explanation_has_the_start_of_a_long_body_and_the_newest_ten() -> None:
    told = explain([], Filter(status=404), [exchange(b"x" * 1001, number) for number in range(11)])

    _, _, sent, _, *listed = told.splitlines()
    assert sent == f"    sent: {'x' * 1000}"
    assert [line.split()[0] for line in listed] == [f"#{number}" for number in range(1, 11)]
