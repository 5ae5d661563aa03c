"""Clocks, with a wall clock of the test's own; and durations."""

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.core.clock import LATEST, Clock, duration
from tests.values import NOW


class Wall:
    """A wall clock that moves when it is told to."""

    def __init__(self, time: float) -> None:
        self.time = time

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def wall() -> Wall:
    return Wall(1_000.0)


@pytest.fixture
def clock(wall: Wall) -> Clock:
    return Clock(wall)


def test_a_new_clock_ticks_with_the_wall(clock: Clock, wall: Wall) -> None:
    wall.time += 5

    assert (clock.now(), clock.frozen, clock.moved) == (1_005, False, False)
    assert 1_700_000_000 < Clock().now() <= Clock().now()  # the system's


def test_a_frozen_clock_stands_still_until_it_is_moved(clock: Clock, wall: Wall) -> None:
    clock.freeze()
    wall.time += 60
    assert (clock.now(), clock.frozen, clock.moved) == (1_000, True, True)

    for at in (42, 0, 20):
        clock.freeze(at=at)
        assert (clock.now(), clock.frozen) == (at, True)
        assert isinstance(clock.now(), float)

    clock.advance(2.5)
    wall.time += 60
    assert (clock.now(), clock.frozen) == (22.5, True)


def test_a_moment_without_a_time_zone_is_in_utc(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        for at in ("2023-11-14T22:13:20", "2023-11-15T07:13:20+09:00"):
            clock.freeze(at)
            assert clock.now() == NOW, at
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_ticking_clock_that_is_advanced_ticks_on(clock: Clock, wall: Wall) -> None:
    clock.advance(timedelta(seconds=10))
    clock.advance("1h")
    wall.time += 1
    assert (clock.now(), clock.frozen, clock.moved) == (4_611, False, True)

    clock.freeze()
    wall.time += 1
    assert clock.now() == 4_611


def test_a_resumed_clock_ticks_with_the_wall_again(clock: Clock, wall: Wall) -> None:
    for freeze in (True, False):
        clock.move(freeze=freeze, advance=500)

        clock.resume()
        wall.time += 1

        assert (clock.now(), clock.frozen, clock.moved) == (wall.time, False, False)


def test_a_follower_moves_with_its_leader_and_can_be_moved_by_itself(
    clock: Clock, wall: Wall
) -> None:
    heard: list[float] = []
    one, two = Clock(), Clock()
    clock.listeners.append(lambda: heard.append(one.now()))
    clock.freeze(50)
    one.follow(clock)
    two.follow(clock)

    one.advance(7)
    assert (clock.now(), one.now(), two.now()) == (50, 57, 50)
    clock.advance(1)
    assert (clock.now(), one.now(), two.now()) == (51, 58, 51)
    clock.resume()
    wall.time += 1
    assert (clock.now(), one.now(), two.now()) == (1_001, 1_001, 1_001)
    two.freeze(9)
    assert (clock.moved, clock.frozen) == (True, False)
    two.follow(clock)
    assert (clock.moved, two.now()) == (False, 1_001)
    assert heard[-5:] == [57, 58, 1_000, 1_001, 1_001]


def test_a_time_that_cannot_be_is_refused_and_changes_nothing(clock: Clock) -> None:
    clock.freeze(1_700_000_000)
    follower = Clock()
    follower.follow(clock)
    for at in (float("nan"), float("inf"), -1.0, 1e300):
        for move, value in ((clock.freeze, at), (clock.advance, at * 1e10)):
            told = f"the time must be between 0 and {LATEST} unix seconds, not "
            with pytest.raises(ValueError, match=f"^{told}"):
                move(value)
    with pytest.raises(ValueError, match="not 10000000000"):
        clock.move(at=LATEST, advance=1)
    follower.freeze(LATEST)
    with pytest.raises(ValueError, match="between 0 and 9999999999"):
        clock.advance(1)

    assert (clock.now(), follower.now()) == (1_700_000_000, LATEST)


def test_a_text_that_is_no_time_is_quoted_with_one_that_is(clock: Clock) -> None:
    with pytest.raises(ValueError, match=r"^'noon' must be a time like 2026-01-31T12:00:00Z$"):
        clock.freeze("noon")
    with pytest.raises(ValueError, match=r"^'soon' must be a duration like 25ms, 1\.5s, 10m,"):
        clock.advance("soon")


# --- durations ------------------------------------------------------------------------------
def test_a_duration_has_a_number_and_a_unit() -> None:
    seconds = {"25ms": 0.025, "1.5s": 1.5, "3": 3, "10m": 600, "2h": 7200, "30d": 2_592_000}

    assert {text: duration(text) for text in seconds} == pytest.approx(seconds)


@given(st.integers(0, 10**8), st.sampled_from(["ms", "s", "m", "h", "d", ""]))
def test_every_whole_number_of_every_unit_is_a_duration(number: int, unit: str) -> None:
    assert duration(f"{number}{unit}") >= 0


@given(st.text(max_size=6))
def test_any_other_text_is_refused_without_a_crash(text: str) -> None:
    try:
        assert duration(text) >= 0
    except ValueError as error:
        assert "duration" in str(error)  # noqa: PT017
