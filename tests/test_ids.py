"""Ids: their forms, and that a seed makes them repeatable."""

import re
from collections.abc import Callable

import pytest

from mockchat.core.ids import Ids


def mint(ids: Ids) -> list[str]:
    return [ids.auth_token("u1", 1_700_000_000), ids.api_key(), ids.hex(64), ids.hex(1)]


def test_the_same_random_seed_mints_the_same_row_of_ids() -> None:
    first, second = Ids(7), Ids(7)

    assert mint(first) + mint(first) == mint(second) + mint(second)


def test_another_random_seed_mints_other_ids() -> None:
    assert mint(Ids(7)) != mint(Ids(8))


def test_without_a_random_seed_no_two_servers_mint_the_same() -> None:
    assert mint(Ids()) != mint(Ids())


def test_the_random_seed_zero_is_a_seed() -> None:
    assert mint(Ids(0)) == mint(Ids(0))


def test_minting_neither_reads_nor_moves_the_shared_random_generator() -> None:
    import random  # noqa: PLC0415

    random.seed(1)
    before = random.getstate()

    Ids(7).hex(40)

    assert random.getstate() == before


def test_an_auth_token_is_the_uid_ten_digits_of_time_and_thirty_hex_digits() -> None:
    token = Ids(1).auth_token("SUPERHERO1", 1_700_000_000)

    assert re.fullmatch(r"SUPERHERO1_1700000000[0-9a-f]{30}", token)


def test_the_time_of_an_auth_token_has_ten_digits_at_any_time() -> None:
    token = Ids(1).auth_token("u", 42)

    assert re.fullmatch(r"u_0000000042[0-9a-f]{30}", token)


def test_an_api_key_is_forty_hex_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", Ids(1).api_key())


@pytest.mark.parametrize("digits", [1, 7, 40, 64])
def test_leading_zeros_count_as_digits(digits: int) -> None:
    ids = Ids(3)

    assert {len(ids.hex(digits)) for _ in range(200)} == {digits}


@pytest.mark.parametrize(
    "mint_one", [lambda ids: ids.auth_token("u", 1), Ids.api_key], ids=["auth_token", "api_key"]
)
def test_ids_minted_in_a_row_differ(mint_one: Callable[[Ids], str]) -> None:
    ids = Ids(3)

    assert len({mint_one(ids) for _ in range(1_000)}) == 1_000
