"""The clock, with a wall clock of the test's own."""

import pytest

from mockchat.core.clock import Clock


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

    assert clock.now() == 1_005
    assert not clock.frozen


def test_a_clock_made_without_a_wall_reads_the_system_time() -> None:
    clock = Clock()

    first, second = clock.now(), clock.now()

    assert 1_700_000_000 < first <= second


def test_a_frozen_clock_stands_still_at_this_moment(clock: Clock, wall: Wall) -> None:
    clock.freeze()

    wall.time += 60

    assert clock.frozen
    assert clock.now() == 1_000


def test_a_clock_freezes_at_a_given_time(clock: Clock) -> None:
    clock.freeze(at=42)

    assert clock.now() == 42
    assert isinstance(clock.now(), float)


def test_a_clock_freezes_at_the_beginning_of_time(clock: Clock) -> None:
    clock.freeze(at=0)

    assert clock.frozen
    assert clock.now() == 0


def test_freezing_a_frozen_clock_again_moves_it(clock: Clock) -> None:
    clock.freeze(at=10)

    clock.freeze(at=20)

    assert clock.now() == 20


def test_advancing_a_frozen_clock_leaves_it_frozen(clock: Clock, wall: Wall) -> None:
    clock.freeze(at=100)

    clock.advance(2.5)
    wall.time += 60

    assert clock.now() == 102.5


def test_advancing_a_ticking_clock_leaves_it_ticking(clock: Clock, wall: Wall) -> None:
    clock.advance(3_600)

    wall.time += 1

    assert clock.now() == 4_601


def test_advances_add_up(clock: Clock) -> None:
    clock.advance(10)
    clock.advance(5)

    assert clock.now() == 1_015


def test_freezing_after_an_advance_stops_at_the_advanced_time(clock: Clock) -> None:
    clock.advance(10)

    clock.freeze()

    assert clock.now() == 1_010


def test_a_resumed_clock_ticks_with_the_wall_again(clock: Clock, wall: Wall) -> None:
    clock.freeze(at=5)
    clock.advance(5)

    clock.resume()
    wall.time += 1

    assert not clock.frozen
    assert clock.now() == 1_001


def test_resuming_forgets_what_a_ticking_clock_was_advanced_by(clock: Clock) -> None:
    clock.advance(500)

    clock.resume()

    assert clock.now() == 1_000


@pytest.mark.parametrize("at", [float("nan"), float("inf"), -1.0, 1e300])
def test_a_time_that_cannot_be_is_refused_and_changes_nothing(at: float) -> None:
    clock = Clock()
    clock.freeze(1_700_000_000)

    for move in (clock.freeze, clock.advance):
        with pytest.raises(ValueError, match="between 0 and 9999999999"):
            move(at if move == clock.freeze else at * 1e10)

    assert clock.now() == 1_700_000_000
