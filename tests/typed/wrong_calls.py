"""Calls of the testing kit: a type checker refuses the lines that are marked, and no other."""

from datetime import timedelta

from mockchat import Config, MockApp, MockChat


def right(mock: MockApp, server: MockChat) -> None:
    """Right calls."""
    mock.create_user("ann", avatar="https://a.example/b.png", tags=["a"], metadata={"a": 1})
    mock.log_in("ann")
    mock.log_in(token="ann_1")
    mock.fail("ERR_UID_NOT_FOUND", operation="login", times=1)
    mock.fail("MY_OWN", status=418)
    mock.fail(503, path="/users/*")
    mock.fault("slow_body", delay=timedelta(seconds=1), method="GET")
    mock.fault("ws_close", close_code=1011, delay="1s", times=1)
    mock.fault("token_expired", uid="ann")
    mock.slow("200ms", jitter="50ms").assert_struck()
    mock.journal.wait_for(2, timeout="1s", operation="websocket", json={"a": 1})
    Config(port=0, errors="live")
    server.app("own", errors="live", token_ttl=timedelta(hours=1), fixture={"users": []})


def wrong(mock: MockApp, server: MockChat) -> None:
    """Wrong calls."""
    mock.create_user("ann", rolle="x")  # wrong
    mock.create_user("ann", tags=1)  # wrong
    mock.log_in()  # wrong
    mock.log_in("ann", token="ann_1")  # wrong
    mock.fail(503, oparation="login")  # wrong
    mock.fail(503, operation="log_in")  # wrong
    mock.fault("latencie")  # wrong
    mock.fault("latency", dealy=1)  # wrong
    mock.fault("latency", close_code=1000)  # wrong
    mock.fault("ws_close", jitter=1)  # wrong
    mock.fault("truncated", delay=1)  # wrong
    mock.fault("reset", status=503)  # wrong
    mock.fault("token_expired", message="x")  # wrong
    mock.fault("rate_limit", retry_after=[1])  # wrong
    mock.slow(1, jiter=1)  # wrong
    mock.slow(1, method="PST")  # wrong
    mock.journal.find(oparation="login")  # wrong
    mock.journal.wait_for(operation="creat_user")  # wrong
    mock.journal.assert_called(staus=200)  # wrong
    mock.hold_logins(user="ann")  # wrong
    server.app("own", tokns="single-use")  # wrong
    server.app("own", errors="liv")  # wrong
    Config(prot=0)  # wrong
