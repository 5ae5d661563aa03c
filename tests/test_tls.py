"""The own CA and its leaf, without a server: handshakes happen in memory."""

import datetime as dt
import json
import os
import socket
import ssl
import stat
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import trustme
from cryptography import x509

from mockchat.core.clock import Clock
from mockchat.wire import tls
from mockchat.wire.hosts import live_names
from mockchat.wire.tls import Tls, TlsError
from tests.rows import each_row

DAY = 86_400
NOW = Clock().now()  # certificates are held against the wall clock

Read = Callable[[str], bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "ca"


@pytest.fixture
def read(folder: Path) -> Read:
    return lambda name: (folder / name).read_bytes()


@cache
def trusting(ca: str) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=ca)


def shake_hands(server: ssl.SSLContext, ca: Path, name: str) -> None:
    """Shake hands as a client that trusts `ca` and wants `name`; raise what it raises."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        trusting(ca.read_text()).wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        for end in tuple(ends):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            ends.remove(end)


def covers(made: Tls, name: str) -> bool:
    assert made.ca_path is not None
    try:
        shake_hands(made.context, made.ca_path, name)
    except ssl.SSLCertVerificationError:
        return False
    return True


def noted_names(leaf: bytes) -> list[str]:
    """The names that the first line of the leaf's file tells."""
    line = leaf.partition(b"\n")[0]
    names: list[str] = json.loads(line.removeprefix(b"#"))[2]
    return names


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# --- made once and kept ---------------------------------------------------------------------
NAMES = [
    *("localhost", "127.0.0.1", "::1", "10.0.2.2", "host.docker.internal", socket.gethostname()),
    *(
        f"{prefix}{service}-{region}.cometchat.io"
        for prefix in ("", "foo.")
        for service in ("api", "apiclient", "call", "websocket", "metrics")
        for region in ("us", "eu", "in")
    ),
    *live_names("us", "foo"),
    *live_names("zz", "foo"),
]


def test_the_first_start_makes_a_ca_for_every_useful_name_only(folder: Path) -> None:
    made = tls.own(folder, (), NOW)

    assert made.ca_path == folder / "ca.pem"
    assert [name for name in NAMES if not covers(made, name)] == []
    foreign = ("example.com", "cometchat.io", "a.b.api-us.cometchat.io")
    assert [name for name in foreign if covers(made, name)] == []


def test_the_keys_are_for_the_owner_only(folder: Path, read: Read) -> None:
    tls.own(folder, (), NOW)

    modes = {file.name: mode(file) for file in folder.iterdir()}
    private = dict.fromkeys(("ca-key.pem", "leaf.pem", "leaf-names.pem"), 0o600)
    assert modes == {"ca.pem": 0o644, **private}
    # Mono refuses addresses under a CA that is limited to some.
    by_name = x509.load_pem_x509_certificate(read("leaf-names.pem"))
    names = by_name.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName)
    assert names.get_values_for_type(x509.IPAddress) == []
    assert mode(folder) == 0o700
    assert b"PRIVATE KEY" not in read("ca.pem")
    assert read("ca.pem") in read("ca-key.pem")


def test_the_leaf_is_short_lived_enough_for_apple(folder: Path, read: Read) -> None:
    tls.own(folder, (), NOW)

    leaf = x509.load_pem_x509_certificate(read("leaf.pem"))
    today = dt.datetime.fromtimestamp(NOW, dt.UTC)
    assert leaf.not_valid_after_utc - leaf.not_valid_before_utc <= dt.timedelta(days=825)
    assert leaf.not_valid_before_utc <= today <= leaf.not_valid_after_utc


# --- renewed --------------------------------------------------------------------------------
def test_a_name_inside_of_the_ca_renews_the_leaf_alone(folder: Path, read: Read) -> None:
    tls.own(folder, ("mock.test", "192.0.2.1"), NOW)
    ca, leaf = read("ca.pem"), read("leaf.pem")

    made = tls.own(folder, ("in.mock.test", "*.mock.test", "127.9.9.9"), NOW)

    inside = ("in.mock.test", "any.mock.test", "127.9.9.9", "mock.test", "192.0.2.1")
    assert [covers(made, name) for name in inside] == [True] * 5
    assert (read("ca.pem"), made.renewed) == (ca, "")
    assert read("leaf.pem") != leaf
    leaf = read("leaf.pem")
    tls.own(folder, (), NOW)  # which needs less than is covered
    assert read("leaf.pem") == leaf


def test_a_name_outside_of_the_ca_makes_a_new_one_for_all_names_and_tells_it(
    folder: Path, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    for name, others in (("mock.test", ()), ("192.0.2.1", ("mock.test",))):
        tls.own(folder, (), NOW)
        ca = read("ca.pem")

        made = tls.own(folder, (name,), NOW)

        assert made.renewed == f"the old one does not cover {name}"
        assert made.renewed in caplog.text
        assert all(covers(made, one) for one in (name, "localhost", *others)), name
        assert read("ca.pem") != ca


def test_a_ca_that_was_not_limited_is_replaced(folder: Path, caplog: Any) -> None:
    folder.mkdir()
    for old in (trustme.CA(path_length=9), trustme.CA(path_length=0)):
        pem = old.private_key_pem.bytes() + old.cert_pem.bytes()
        (folder / "ca-key.pem").write_bytes(pem)

        made = tls.own(folder, (), NOW)

        assert made.renewed == "the old one could sign for any name"
        assert made.renewed in caplog.text
        assert covers(made, "localhost")


def test_the_ca_signs_for_its_names_only_and_no_other_ca(folder: Path, read: Read) -> None:
    tls.own(folder, ("mock.test",), NOW)
    pem = read("ca-key.pem")
    ca = trustme.CA.from_pem(cert_bytes=pem, private_key_bytes=pem)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    foreign = ["example.com", "cometchat.io.example.com", "xmock.test", "192.0.2.1", "10.0.0.1"]
    foreign += ["app.cometchat.com", "2001:db8::1"]

    for name in (*foreign, "x.mock.test"):
        ca.issue_cert(name).configure_cert(context)
        made = Tls(context, folder / "ca.pem")
        assert covers(made, name) is (name == "x.mock.test"), name

    certificate = x509.load_pem_x509_certificate(read("ca.pem"))
    basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    names = certificate.extensions.get_extension_for_class(x509.NameConstraints)
    assert (basic.critical, basic.value.path_length, names.critical) == (True, 0, True)


def test_the_ca_lives_ten_years_and_is_renewed_before_it_ends(folder: Path, read: Read) -> None:
    tls.own(folder, (), NOW)
    first = x509.load_pem_x509_certificate(read("ca.pem"))
    end = first.not_valid_after_utc
    life = end - first.not_valid_before_utc
    assert dt.timedelta(days=3650) <= life <= dt.timedelta(days=3660)

    near = tls.own(folder, (), end.timestamp() - 31 * DAY)
    leaf = x509.load_pem_x509_certificate(read("leaf.pem"))
    assert (near.renewed, leaf.not_valid_after_utc) == ("", end)  # no leaf outlives its CA
    made = tls.own(folder, (), end.timestamp() - 29 * DAY)
    assert made.renewed == "the old one was about to end"
    assert x509.load_pem_x509_certificate(read("ca.pem")).not_valid_after_utc > end + life / 2


def test_a_leaf_is_renewed_a_month_before_it_expires(tmp_path: Path) -> None:
    for days_left, kept in ((31, True), (29, False), (0, False), (-9, False)):
        folder = tmp_path / str(days_left)
        tls.own(folder, (), NOW)
        before = {file: file.read_bytes() for file in folder.iterdir()}
        leaf = folder / "leaf.pem"
        until = x509.load_pem_x509_certificate(before[leaf]).not_valid_after_utc.timestamp()

        tls.own(folder, (), until - days_left * DAY)

        changed = [file for file in before if file.read_bytes() != before[file]]
        both = [leaf, folder / "leaf-names.pem"]
        assert set(changed) == (set() if kept else set(both)), days_left


def test_the_next_start_changes_no_file_of_a_moved_folder(folder: Path, tmp_path: Path) -> None:
    tls.own(folder, (), NOW)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    moved = folder.rename(tmp_path / "elsewhere")

    made = tls.own(moved, (), NOW + DAY)

    assert {file.name: file.read_bytes() for file in moved.iterdir()} == before
    assert made.ca_path == moved / "ca.pem"
    assert covers(made, "localhost")


# --- damaged --------------------------------------------------------------------------------
@each_row("name", ["leaf.pem", "leaf-names.pem", "ca.pem"])
def test_a_damaged_leaf_is_made_anew_and_a_damaged_ca_certificate_restored(
    folder: Path, read: Read, tmp_path: Path, name: str
) -> None:
    tls.own(folder, (), NOW)
    tls.own(tmp_path / "other", (), NOW)
    ca = read("ca.pem")
    for damage in (b"", b"rubbish", None, (tmp_path / "other" / name).read_bytes()):
        (folder / name).unlink()
        if damage is not None:
            (folder / name).write_bytes(damage)

        made = tls.own(folder, (), NOW)

        assert covers(made, "localhost"), damage
        assert read("ca.pem") == ca, damage


@each_row(
    "note",
    [
        *(b"", b"#", b"#[]", b"#{}", b"#null", b"#\xff", b"#1", b'#["", 9e12]'),
        *(b'#["", "x", []]', b'#["", null, []]', b'#["", NaN, []]', b'#["", 9e12, null]'),
        b'#["another CA", 9e12, ["localhost"]]',
    ],
)
def test_a_damaged_note_is_made_anew(folder: Path, read: Read, note: bytes) -> None:
    tls.own(folder, (), NOW)
    leaf = read("leaf.pem").partition(b"\n")[2]
    (folder / "leaf.pem").write_bytes(note + b"\n" + leaf)

    made = tls.own(folder, ("mock.test",), NOW)

    assert covers(made, "localhost")
    assert "localhost" in noted_names(read("leaf.pem"))


def test_a_damaged_ca_is_refused_by_name_and_left_as_it_is(folder: Path, read: Read) -> None:
    tls.own(folder, (), NOW)
    whole, certificate = read("ca-key.pem"), read("ca.pem")
    for part in (b"", whole.replace(certificate, b""), certificate, whole[:300]):
        (folder / "ca-key.pem").write_bytes(part)

        with pytest.raises(TlsError) as refused:
            tls.own(folder, ("a-new-name.test",), NOW)

        assert str(folder / "ca-key.pem") in str(refused.value)
        assert f"delete {folder}" in str(refused.value)
        assert read("ca-key.pem") == part


# --- places that cannot be used -------------------------------------------------------------
def deny(*_arguments: object, **_options: object) -> None:
    raise OSError(30, "Read-only file system")


def test_a_read_only_folder_is_refused_by_name_unless_it_has_a_good_leaf(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir()
    tls.own(tmp_path / "good", (), NOW)
    for module, name in ((tempfile, "mkstemp"), (os, "replace")):
        monkeypatch.setattr(module, name, deny)

    with pytest.raises(TlsError) as refused:
        tls.own(folder, (), NOW)

    assert str(refused.value) == (
        f"{folder}: cannot keep the CA here: Read-only file system; let user {os.getuid()} read"
        " and write the folder and its files, or name another one by --ca-dir"
    )
    assert covers(tls.own(tmp_path / "good", (), NOW + DAY), "localhost")

    monkeypatch.undo()
    monkeypatch.setattr("fcntl.flock", deny)  # a place that knows no locks will do
    assert covers(tls.own(folder, (), NOW), "localhost")
    (tmp_path / "file").write_text("")
    for place in ("file", "file/below"):
        with pytest.raises(TlsError) as refused:
            tls.own(tmp_path / place, (), NOW)
        assert str(refused.value).startswith(f"{tmp_path / place}: cannot keep the CA here: ")


def test_no_folder_but_that_of_the_ca_need_be_writable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")

    made = tls.own(folder, (), NOW)

    assert covers(made, "foo.api-zz.cometchat.io")  # whose leaf is made when a client asks for it


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_write_permission_is_refused(folder: Path) -> None:
    folder.mkdir(mode=0o500)

    with pytest.raises(TlsError, match="Permission denied"):
        tls.own(folder, (), NOW)


def test_an_odd_name_is_no_obstacle_if_it_is_this_machine_s_and_refused_if_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("", "a..b", "a b", "x" * 64, "my_host", "-"):
        monkeypatch.setattr(socket, "gethostname", lambda name=name: name)
        assert covers(tls.own(folder, (), NOW), "localhost"), name
    for name in ("", "a..b", "a b", "x" * 64):
        with pytest.raises(TlsError) as refused:
            tls.own(folder, (name,), NOW)
        assert f"--tls-host {name}" in str(refused.value)


# --- starts at once -------------------------------------------------------------------------
def race(folder: Path, extras: list[tuple[str, ...]]) -> list[Tls]:
    """Start as many servers as there are `extras`, all at the same moment."""
    start = Barrier(len(extras))

    def one(extra: tuple[str, ...]) -> Tls:
        start.wait(timeout=10)
        return tls.own(folder, extra, NOW)

    with ThreadPoolExecutor(len(extras)) as pool:
        return list(pool.map(one, extras))


def test_starts_at_once_share_one_ca(folder: Path, read: Read) -> None:
    folder.mkdir()
    for before in (None, trustme.CA()):
        (folder / "ca-key.pem").unlink(missing_ok=True)
        if before:
            pem = before.private_key_pem.bytes() + before.cert_pem.bytes()
            (folder / "ca-key.pem").write_bytes(pem)

        made = race(folder, [("mock.test",)] * 8)

        assert all(covers(one, name) for one in made for name in ("mock.test", "localhost"))
        assert read("ca.pem") in read("ca-key.pem")
        leaves = {"leaf.pem", "leaf-names.pem"}
        assert {file.name for file in folder.iterdir()} == {"ca.pem", "ca-key.pem", *leaves}


def test_names_of_starts_at_once_are_all_covered_from_then_on(folder: Path, read: Read) -> None:
    names = [f"mock-{number}.test" for number in range(8)]

    race(folder, [(name,) for name in names])
    ca = read("ca.pem")
    made = race(folder, [(name,) for name in names])

    assert [covers(one, name) for one, name in zip(made, names, strict=True)] == [True] * 8
    assert read("ca.pem") == ca


# --- where it is kept -----------------------------------------------------------------------
def test_the_cache_folder_is_the_user_s_and_may_be_moved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert tls.folder() == tmp_path / ".cache" / "mockchat"

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert tls.folder() == tmp_path / "mockchat"
