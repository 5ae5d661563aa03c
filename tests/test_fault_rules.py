"""Fault rules by themselves: whom they strike, how often, and how they are described."""

import importlib
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockchat.api.validation import Loader
from mockchat.control.faults import PARAMETERS, FaultRequest, in_header
from mockchat.control.requests import LONGEST_TEXT
from mockchat.core.clock import LONGEST
from mockchat.core.errors import CATALOGUE, ApiError, Evidence
from mockchat.core.fault_kinds import KINDS, Error, HttpKind, Kind, Latency, RateLimit
from mockchat.core.faults import MAX_RULES, PRESETS, FaultError, Faults, Rule, error_named, first_of
from mockchat.core.matching import Pattern, RequestSummary
from tests.faulty import PROVEN

SUMMARY = RequestSummary("GET", "/users/u1", "get_user", "u1", "key")
load = Loader(FaultRequest)


@pytest.fixture
def faults() -> Faults:
    return Faults()


def strikes(rule: Rule, count: int, app_id: str | None = "app") -> list[bool]:
    """Which of so many equal exchanges a rule strikes."""
    return [rule.strike(app_id, SUMMARY, Kind) is not None for _ in range(count)]


# --- every kind has its proof ---------------------------------------------------------------
def test_every_kind_and_every_preset_is_proven_over_a_real_socket() -> None:
    for module in ("test_faults", "test_faults_presets", "test_faults_websocket"):
        importlib.import_module(f"tests.{module}")

    assert set(PROVEN) == {*KINDS, *PRESETS}


# --- whom they strike -----------------------------------------------------------------------
FITTING = [
    *[("/users/{uid}", "/users/u1"), ("/users/*", "/users/u1"), ("users/u1", "/users/u1")],
    *[("/users/**", "/users"), ("/users/**", "/users/u1/friends"), ("**", "/"), ("/", "/")],
    *[("/**/friends", "/users/u1/friends"), ("/**/friends", "/friends")],
    *[("/users/cometchat-*-1", "/users/cometchat-uid-1"), ("/v3/users", "/users")],
    *[("/v3.0/users/{uid}", "/users/u1"), ("/**/**/me", "/me"), ("/users/", "/users")],
    *[("/users/a.b", "/users/a.b"), ("/users/a[b]?", "/users/a[b]?"), ("/**", "/a\nb/c")],
]
OTHERS = [
    *[("/users/{uid}", "/users"), ("/users/{uid}", "/users/u1/friends"), ("/users", "/user")],
    *[("/users/*", "/users"), ("/**/friends", "/users/friendss"), ("/", "/me")],
    *[("/users/a.b", "/users/axb"), ("/users/a[b]", "/users/ab"), ("/users/a?", "/users/ab")],
    *[("/users/{a}{b}", "/users"), ("/users/*{a}", "/users"), ("/users/*{a}", "/users/u1/friends")],
    *[("/USERS", "/users"), ("/users/**/x", "/users"), ("/me/**/**", "/users/me")],
]


def test_a_path_fits_its_patterns_and_no_others() -> None:
    for rows, fits in ((FITTING, True), (OTHERS, False)):
        for pattern, path in rows:
            assert Pattern(path=pattern).fits(SUMMARY._replace(path=path)) is fits, (pattern, path)


@given(st.lists(st.sampled_from(["a", "b", "*", "**", "a*"]), max_size=6), st.data())
def test_a_path_fits_where_its_wildcards_can_be_filled_in(
    wanted: list[str], data: st.DataObject
) -> None:
    some = st.lists(st.sampled_from(["a", "b", "ab"]), max_size=3)
    filled = {"*": ["ab"], "a*": ["ab"], "a": ["a"], "b": ["b"]}
    segments = [one for part in wanted for one in filled.get(part) or data.draw(some)]

    assert Pattern(path="/" + "/".join(wanted)).fits(
        SUMMARY._replace(path="/" + "/".join(segments))
    )


def test_all_that_a_pattern_names_has_to_fit() -> None:
    rows: list[tuple[dict[str, Any], bool]] = [
        *[({}, True), ({"method": "get"}, True), ({"method": "POST"}, False)],
        *[({"uid": "U1"}, True), ({"uid": "u2"}, False), ({"operation": "get_user"}, True)],
        *[({"operation": "list_users"}, False), ({"credential": "key"}, True)],
        *[({"credential": "token"}, False), ({"method": "GET", "uid": "u2"}, False)],
    ]
    for wanted, fits in rows:
        assert Pattern(**wanted).fits(SUMMARY) is fits, wanted


def test_a_rule_strikes_its_app_or_all(faults: Faults) -> None:
    for of, seen, struck in (
        *[(None, "app", True), (None, None, True), ("app", "app", True), ("APP", "app", True)],
        *[("app", "other", False), ("app", None, False)],
    ):
        assert strikes(faults.add("latency", {}, app_id=of), 1, seen) == [struck], (of, seen)


# --- how often ------------------------------------------------------------------------------
def test_after_spares_the_first_and_times_bounds_the_strikes(faults: Faults) -> None:
    always = faults.add("latency", {})
    twice = faults.add("latency", {}, times=2)
    third = faults.add("latency", {}, after=2, times=1)

    assert strikes(always, 3) == [True] * 3
    assert strikes(twice, 4) == [True, True, False, False]
    assert (twice.seen, twice.struck) == (2, 2)
    assert strikes(third, 4) == [False, False, True, False]


def test_only_what_fits_and_is_wanted_is_counted(faults: Faults) -> None:
    other = faults.add("latency", {}, pattern=Pattern(uid="u2"), times=1)
    socket = faults.add("ws_close", {}, times=1)

    strikes(other, 3)

    assert socket.strike("app", SUMMARY, HttpKind) is None
    assert (other.seen, other.struck, socket.seen) == (0, 0, 0)


def test_rules_strike_in_their_order_each_counted_when_its_turn_comes(faults: Faults) -> None:
    names = ["latency", "error", "truncated"]
    rules = [faults.add(name, {"code": "500"} if name == "error" else {}) for name in names]

    struck, _ = next(faults.striking("app", SUMMARY, HttpKind))

    assert struck.name == "latency"
    assert [rule.struck for rule in rules] == [1, 0, 0]
    assert [kind.name for kind, _ in faults.striking("app", SUMMARY, HttpKind)] == names


# --- chance ---------------------------------------------------------------------------------
def test_the_ends_of_probability_are_certain(faults: Faults) -> None:
    for probability, share in ((0.0, 0), (1.0, 1000)):
        rule = faults.add("latency", {}, probability=probability)

        assert strikes(rule, 1000).count(True) == share
        assert rule.seen == 1000


def test_a_probability_is_the_share_that_is_struck_and_the_same_by_the_same_seed(
    faults: Faults,
) -> None:
    rows = [
        strikes(faults.add("latency", {}, probability=0.3, random_seed=seed), 1000)
        for seed in (3, 3, 4)
    ]

    assert all(250 < row.count(True) < 350 for row in rows)
    assert rows[0] == rows[1] != rows[2]
    limited = faults.add("latency", {}, probability=0.5, times=5, random_seed=1)
    assert strikes(limited, 100).count(True) == 5  # times counts strikes, not chances


# --- many rules -----------------------------------------------------------------------------
def test_there_is_a_most_of_rules_among_which_those_that_are_spent_make_room(
    faults: Faults,
) -> None:
    rules = [faults.add("latency", {}, times=1) for _ in range(MAX_RULES)]
    with pytest.raises(FaultError, match=f"^kind: would be one of more than {MAX_RULES} faults"):
        faults.add("latency", {})
    for rule in rules:
        strikes(rule, 1)

    added = faults.add("latency", {})

    assert list(faults.rules) == [added.id]


def test_an_app_has_its_own_rules_and_the_server_all(faults: Faults) -> None:
    own, other, general = (faults.add("latency", {}, app_id=app_id) for app_id in ("a", "b", None))

    assert faults.of("A") == [own]
    assert faults.of(None) == [own, other, general]


def test_a_listener_is_told_of_a_removed_rule_once(faults: Faults) -> None:
    gone: list[Rule] = []
    faults.on_removed.append(gone.append)
    rule = faults.add("latency", {})

    for _ in range(2):
        faults.remove([rule])

    assert gone == [rule]


# --- parameters -----------------------------------------------------------------------------
def test_a_kind_says_what_it_does_and_helps_with_its_parameters() -> None:
    for name, kind in KINDS.items():
        assert kind.name == name
        assert (kind.__doc__ or "").strip().endswith("."), name
        assert all(one.metadata["help"] for one in fields(kind)), name


def refused_field(body: dict[str, Any]) -> str:
    """The one field by which a rule is refused."""
    with pytest.raises(ApiError) as refused:
        load(body)
    (field,) = refused.value.details or {}
    return field


def test_a_kind_and_a_preset_know_no_parameter_of_another_kind() -> None:
    every = {name for declared in PARAMETERS.values() for name in declared}

    for kind, declared in PARAMETERS.items():
        for name in {*every, "colour"} - set(declared):
            assert refused_field({"kind": kind, name: 1}) == name, kind


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    kinds: Any = ("lag", None, [], 5)
    for kind in kinds:
        with pytest.raises(ApiError) as refused:
            load({"kind": kind})

        assert list(refused.value.details or {}) == ["kind"]
    with pytest.raises(ApiError, match=r"latency.*ws_close.*token_expired"):
        load({"kind": "lag"})


def test_a_parameter_takes_a_right_value_as_number_and_as_text_and_no_wrong_value() -> None:
    texts: Any = ("a text", (True, [], {}, b"1", "x" * (LONGEST_TEXT + 1)))
    spans: Any = (1.5, (True, [], {}, b"1", -1, -0.001, LONGEST + 1, 10**400, "-1s", "soon", "1e3"))
    for kind, row in KINDS.items():
        for one in fields(row):
            least, most = one.metadata["bounds"]
            outside = (least - 1, most + 1, 10**400, "9" * 5000, "-1", "1e3", "²", 503.5)
            taken: Any = (most, (True, [], {}, b"1", *outside))
            if one.type is float:
                taken = spans
            elif one.type in (str, str | None):
                taken = texts
            right, wrong = taken
            key = PARAMETERS[kind][one.name].data_key or ""
            for value in wrong:
                assert refused_field({"kind": kind, key: value}) == key, (kind, value)
            for spelled in (key, one.name):
                for value in (right, str(right)):
                    assert load({"kind": kind, spelled: value})[one.name] == right, kind


def test_durations_are_read() -> None:
    assert load({"kind": "latency", "delay": "250ms", "jitter": "1m"}) == {
        "kind": "latency",
        "delay": 0.25,
        "jitter": 60.0,
    }


# --- the header -----------------------------------------------------------------------------
def asked_for(text: str) -> list[Kind | None]:
    return [first_of(strikes, SUMMARY, Kind) for _, strikes in in_header(text)]


ASKED: dict[str, list[Kind]] = {
    "latency": [Latency()],
    "latency=200ms": [Latency(0.2)],
    "latency=200ms;jitter=50ms": [Latency(0.2, 0.05)],
    " latency = 2 ; jitter = 1 ,, error = 503 ": [Latency(2, 1), Error("503")],
    "error=ERR_TOO_MANY_REQUESTS": [Error("ERR_TOO_MANY_REQUESTS")],
    "error=MY_CODE;status=418;message=I am = a pot": [Error("MY_CODE", 418, "I am = a pot")],
    "rate_limit=30": [RateLimit(30)],
    "": [],
    " , ": [],
}
NONSENSE = [
    *[("nope", "kind"), ("nope=1", "kind"), ("reset=1", "kind"), ("token_expired=1", "kind")],
    *[("ws_close", "kind"), ("ws_refuse=503", "kind"), ("=1", "kind"), (";", "kind")],
    *[("latency=soon", "delay"), ("latency;colour=red", "colour"), ("latency=1;", "")],
    *[("error", "code"), ("error=NOPE", "code"), ("error=999", "status"), ("é=1", "kind")],
    *[("error=503;status=x", "status"), ("token_expired;a=1", "a")],
]


def values_of(kind: Kind | None) -> tuple[Any, dict[str, Any]]:
    return type(kind), vars(kind)


def test_the_header_asks_for_kinds_and_is_refused_where_it_means_nothing() -> None:
    for text, kinds in ASKED.items():
        assert list(map(values_of, asked_for(text))) == list(map(values_of, kinds)), text
    for text, field in NONSENSE:
        with pytest.raises(FaultError) as refused:
            in_header(text)
        assert refused.value.field == field, text


def test_the_header_can_ask_for_every_preset_and_every_kind_that_strikes_requests() -> None:
    for name in (*KINDS, *PRESETS):
        if name[:3] == "ws_":
            continue
        ((called, strikes),) = in_header(f"{name}=500" if name == "error" else name)
        assert called == name
        assert name in PRESETS or type(strikes[0][0]) is KINDS[name], name


@given(st.text())
def test_any_header_is_read_or_refused(text: str) -> None:
    try:
        found = in_header(text)
    except FaultError:
        return

    assert all(called in {*KINDS, *PRESETS} for called, _ in found)


# --- those that struck nothing --------------------------------------------------------------
def test_rules_of_an_app_that_never_struck_are_told_once_but_not_those_that_chance_spared(
    faults: Faults,
) -> None:
    def add(app_id: str | None, **knobs: Any) -> Rule:
        return faults.add("hang", {}, app_id=app_id, **knobs)

    idle, removed, unseen = add("One"), add("ONE"), add("one", probability=0.5)
    late, spared, struck = add("one", after=1), add("one", probability=0.0), add("one")
    other, of_all, gone = add("Two"), add(None), add("two")
    for rule in (late, spared, struck):
        rule.strike("ONE", SUMMARY, Kind)
    faults.remove([gone, removed])

    assert faults.take_idle("oNE") == [idle, removed, unseen, late]
    assert list(faults.rules.values()) == [struck, other, of_all]
    assert faults.take_idle("oNE") == []
    assert faults.take_idle("TWO") == [other, gone]
    found = faults.striking("one", SUMMARY, Kind, but=lambda rule: rule is struck)
    assert [rule for _, rule in found] == [of_all]


# --- errors ---------------------------------------------------------------------------------
def test_names_mean_rows_of_the_catalogue_and_codes_are_printed_as_they_are() -> None:
    for name, row in CATALOGUE.items():
        assert error_named(name).definition is row
        for face in (row.documented, row.live):
            found = error_named(face.code).definition
            assert found.documented.code == found.live.code == face.code
            assert found.documented == found.live


def test_a_status_makes_an_error_of_its_own_and_keeps_a_row_s_codes() -> None:
    face = error_named("503").definition.live
    row = error_named("key_unknown", 500).definition
    both = error_named("503", 418).definition.live

    assert (face.code, face.status) == ("MOCK_FAULT_503", 503)
    told = [(one.code, one.status) for one in (row.documented, row.live)]
    assert told == [("ERROR_API_KEY_NOT_FOUND", 500), ("AUTH_ERR_APIKEY_NOT_FOUND", 500)]
    assert (row.live.dev_message, row.live.evidence) == (None, Evidence.ASSUMED)
    assert (both.code, both.status) == ("503", 418)
    assert [error_named(code).definition.live.status for code in ("200", "599")] == [200, 599]
    for code in ("199", "600"):
        with pytest.raises(FaultError, match=r"^status: must be between 200 and 599$"):
            error_named(code)


def test_a_message_is_taken_literally_and_what_it_cannot_know_is_three_dots() -> None:
    own = error_named("ERR_UID_NOT_FOUND", None, "{uid} {0} }{", {"uid": "u1"})
    usual = error_named("ERR_UID_NOT_FOUND")

    assert own.definition.live.message.format_map(own.values) == "{uid} {0} }{"
    told = usual.definition.live.message.format_map(usual.values)
    assert told.startswith("The UID ... does not")
    guessing = error_named("MOCK_NOT_FOUND")
    told = guessing.definition.live.message.format_map(guessing.values)
    assert told == "There is no ... ...."  # the guess of a name is empty without a request


def test_an_unknown_code_needs_a_status() -> None:
    with pytest.raises(FaultError, match=r"^code: is missing: name an error"):
        error_named("")
    own = "A code of your own needs a status"
    for code, told in (
        *[("NOPE", own), ("٥٠٣", own)],
        ("UID_NOT_FOUND", f"Did you mean 'uid_not_found'? {own}"),
    ):
        with pytest.raises(FaultError) as refused:
            error_named(code)
        assert str(refused.value) == f"code: {code!r} is in no catalogue. {told}"


# --- presets --------------------------------------------------------------------------------
def test_a_preset_says_what_it_does_and_strikes_with_the_catalogue() -> None:
    for name, preset in PRESETS.items():
        assert preset.does.endswith("."), name
        assert preset.strikes, name
        assert all(CATALOGUE[row.name] is row for row, _ in preset.strikes), name
