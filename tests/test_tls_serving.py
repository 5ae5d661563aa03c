"""TLS as a client meets it: real handshakes with a running server."""

import json
import pwd
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from mockchat import Config, MockChat
from mockchat.core.clock import Clock
from mockchat.serve import banner
from mockchat.server import StartError
from mockchat.wire import tls
from tests.tunnels import port_of

OK = b"HTTP/1.1 200 OK"


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MockChat]:
    config = Config(port=0, https_port=0, ca_dir=str(tmp_path_factory.mktemp("ca")))
    with MockChat(config).in_thread() as mock:
        yield mock


def ask_for_health(
    mock: MockChat, name: str, trust: ssl.SSLContext, address: str = "127.0.0.1"
) -> bytes:
    """The status line that a client gets that trusts `trust` and calls the server `name`."""
    with (
        socket.create_connection((address, port_of(mock.https_url)), timeout=10) as plain,
        trust.wrap_socket(plain, server_hostname=name) as secure,
    ):
        secure.sendall(
            b"GET /_mock/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        return b"".join(iter(lambda: secure.recv(4096), b"")).partition(b"\r\n")[0]


def trusting(path: Path | None) -> ssl.SSLContext:
    assert path is not None
    return ssl.create_default_context(cafile=path)


def test_a_server_on_ipv6_loopback_is_answered_by_its_address(tmp_path: Path) -> None:
    config = Config(host="::1", port=None, https_port=0, ca_dir=str(tmp_path))
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    with MockChat(config).in_thread() as mock:
        assert ask_for_health(mock, "::1", trusting(mock.ca_path), "::1") == OK


def test_a_client_is_answered_by_every_name_if_it_trusts_the_ca(mock: MockChat) -> None:
    for name in ("localhost", "127.0.0.1", "::1", "foo.api-us.cometchat.io"):
        assert ask_for_health(mock, name, trusting(mock.ca_path)) == OK, name

    with pytest.raises(ssl.SSLCertVerificationError):
        ask_for_health(mock, "localhost", ssl.create_default_context())


def test_so_many_names_that_clients_make_up_get_a_certificate(
    mock: MockChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tls, "MOST_LEAVES", 1)
    trust = trusting(mock.ca_path)

    assert ask_for_health(mock, "a.api-xx.cometchat.io", trust) == OK
    with pytest.raises(ssl.SSLCertVerificationError):
        ask_for_health(mock, "a.api-yy.cometchat.io", trust)
    assert ask_for_health(mock, "b.api-xx.cometchat.io", trust) == OK


def test_plain_http_to_the_https_port_is_answered_and_logged_in_words(
    mock: MockChat, caplog: pytest.LogCaptureFixture
) -> None:
    for request in (
        b"GET /v3/users HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /login HTTP/1.0\r\n\r\n{}",
    ):
        with socket.create_connection(("127.0.0.1", port_of(mock.https_url)), timeout=10) as plain:
            plain.sendall(request)
            head, _, body = plain.recv(4096).partition(b"\r\n\r\n")
            plain.sendall(b"more")  # is no reason to answer again

            assert head.startswith(b"HTTP/1.1 400 Bad Request")
            assert json.loads(body)["error"]["code"] == "MOCK_PLAIN_HTTP"
            assert plain.recv(4096) == b""
    told = "plain HTTP came to the HTTPS port; the client must use https://"
    assert caplog.messages == [told] * 2
    assert ask_for_health(mock, "localhost", trusting(mock.ca_path)) == OK

    with socket.create_connection(("127.0.0.1", port_of(mock.https_url)), timeout=10) as plain:
        plain.sendall(b"\0" * 64)
        assert plain.recv(4096)[:1] != b"H"


def test_the_ca_stays_the_same_over_restarts_whatever_the_clock_and_covers_the_tls_host(
    tmp_path: Path,
) -> None:
    config = Config(port=None, https_port=0, ca_dir=str(tmp_path), tls_host=("mock.test",))
    with MockChat(config).in_thread() as mock:
        trust = trusting(mock.ca_path)

    for time in (1_000_000_000, 4_000_000_000):  # which does not age the certificate
        clock = Clock()
        clock.freeze(time)
        with MockChat(config, clock=clock).in_thread() as mock:
            assert ask_for_health(mock, "mock.test", trust) == OK, time


def test_the_ca_is_kept_in_the_user_s_cache_or_in_a_ca_dir_that_may_start_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    with MockChat(Config(port=None, https_port=0)).in_thread() as mock:
        assert mock.ca_path == tmp_path / "mockchat" / "ca.pem"
    with MockChat(Config(port=None, https_port=0, ca_dir="~/ca")).in_thread() as mock:
        assert mock.ca_path == tmp_path / "ca" / "ca.pem"


def test_a_server_on_the_scheme_s_own_port_starts_and_names_no_port(tmp_path: Path) -> None:
    config = Config(host="127.0.0.3", port=None, https_port=443, ca_dir=str(tmp_path))

    try:
        with MockChat(config).in_thread() as mock:
            text = banner(mock)
    except StartError as error:
        pytest.skip(str(error))

    assert "  https://127.0.0.3\n" in text
    assert "  https://localhost, " in text


# --- a certificate of one's own -------------------------------------------------------------
@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def brought(tmp_path: Path, authority: trustme.CA) -> Config:
    """The settings of a server with a certificate of the test's own CA for mine.test."""
    leaf = authority.issue_cert("mine.test")
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return Config(port=None, https_port=0, tls_cert=str(cert), tls_key=str(key))


def test_a_brought_certificate_is_served_and_the_own_ca_is_not_made(
    brought: Config, authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    trust = ssl.create_default_context()
    authority.configure_trust(trust)

    with MockChat(brought).in_thread() as mock:
        status = ask_for_health(mock, "mine.test", trust)

    assert status == b"HTTP/1.1 200 OK"
    assert mock.ca_path is None
    assert not (tmp_path / "cache").exists()


def refusal(config: Config) -> str:
    with pytest.raises(StartError) as refused, MockChat(config).in_thread():
        pass
    return str(refused.value)


def test_a_brought_file_that_is_missing_or_no_pem_is_named(
    brought: Config, tmp_path: Path, authority: trustme.CA
) -> None:
    for name in ("cert.pem", "key.pem"):
        path = tmp_path / name
        good = path.read_bytes()
        path.unlink()
        assert refusal(brought) == f"{path}: no such certificate file"
        for content in (b"", b"rubbish"):
            path.write_bytes(content)
            message = refusal(brought)
            start = f"{tmp_path / 'cert.pem'}: cannot be used as a certificate: "
            assert message.startswith(start), (name, content)
            assert "\n" not in message
        path.write_bytes(good)

    other = authority.issue_cert("other.test").private_key_pem.bytes()
    (tmp_path / "key.pem").write_bytes(other)
    assert "cannot be used as a certificate" in refusal(brought)


def test_a_brought_key_with_a_pass_phrase_is_refused(brought: Config, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    key = load_pem_private_key(path.read_bytes(), None)
    locked = BestAvailableEncryption(b"secret")
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))

    message = refusal(brought)

    assert str(tmp_path) in message
    assert "pass phrase" in message


def test_a_ca_dir_that_cannot_be_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for ca_dir in ("~nobody-has-this-name/ca", "/dev/null/ca"):
        assert ca_dir in refusal(Config(port=None, https_port=0, ca_dir=ca_dir))

    def nobody(_number: int) -> None:
        raise KeyError("no such user")

    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert "--ca-dir" in refusal(Config(port=None, https_port=0))
