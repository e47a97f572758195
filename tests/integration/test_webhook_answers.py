"""What the webhook handler makes of an answer, or of none: delivered, again, given up, finished."""
import contextlib
import signal
import socket
import time

import pytest

import plugins
import pm
import webhooks
from ctl import Ctl

RETRIED = [408, 425, 429, 500, 502, 503, 504]
GIVEN_UP = [301, 302, 307, 308, 400, 401, 403, 404, 422]


def hook(panicmon, receiver, drain="60s", **keys):
    return webhooks.config(panicmon, webhooks.section(panicmon, receiver.url(), **keys), drain=drain)


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_a_success(panicmon, status):
    with webhooks.Receiver(status) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver))
        assert len(receiver.requests) == 2
    assert ended.stderr == ""


@pytest.mark.parametrize("status", RETRIED)
def test_one_that_comes_again(panicmon, status):
    with webhooks.Receiver(status, 200) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver))
        ids = [request.json["id"] for request in receiver.requests]
    assert ids[0] == ids[1] and len(ids) == 3
    assert f"it answered {status}; trying again" in ended.stderr


@pytest.mark.parametrize("status", GIVEN_UP)
def test_one_that_is_given_up(panicmon, status):
    elsewhere = {"Location": "/elsewhere"} if status < 400 else {}
    with webhooks.Receiver((status, elsewhere, b"no\x1b[31m such\nthing"), 200) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver))
        assert [request.path for request in receiver.requests] == ["/hook"] * 2
    assert f"event 1 is given up: http://127.0.0.1:{receiver.port}: it answered {status}" in ended.stderr
    assert "no [31m such thing'" in ended.stderr
    assert ("redirection" in ended.stderr) == (status < 400)
    assert plugins.missed(ended.stderr, "hook") == (0, 1)


def test_one_that_is_gone(panicmon):
    """The handler is finished, and panicmon does not wait for it."""
    with webhooks.Receiver(410, 200) as receiver:
        run = panicmon.start(["sleep", "1000"], config=hook(panicmon, receiver))
        pm.wait_until(lambda: "nothing is sent there any more" in run.stderr, what="the end of the handler")
        run.send(signal.SIGTERM)
        run.wait()
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("body, fails", [(b"ok", False), (b"ok\n", False), (b"invalid_token", True),
                                         (b"<html>ok</html>", True), (b"", True)])
def test_slack_says_ok(panicmon, body, fails):
    """With another body a 200 is a failure."""
    with webhooks.Receiver((200, {}, body)) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver, format="slack"))
        assert len(receiver.requests) == 2
    assert ("event 1 is given up" in ended.stderr) == fails
    assert plugins.missed(ended.stderr, "hook") == (0, 2 if fails else 0)


@pytest.mark.parametrize("value", [lambda: "3", lambda: webhooks.http_date(4)], ids=["seconds", "date"])
def test_retry_after(panicmon, value):
    """A command that runs: at its end, panicmon has less patience."""
    def later(handler):
        webhooks.reply(handler, 429, {"Retry-After": value()})
    with webhooks.Receiver(later, 200) as receiver:
        run = panicmon.start(["sleep", "1000"], config=hook(panicmon, receiver))
        first, second = receiver.wait_for(2)[:2]
        run.send(signal.SIGTERM)
        run.wait()
    assert second.at - first.at > 1.9


def test_retry_after_at_the_end(panicmon):
    """Panicmon has little patience then; the server's word counts more."""
    with webhooks.Receiver((429, {"Retry-After": "2"}, b""), 200) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver))
        first, second, _ = receiver.requests
    assert second.at - first.at > 1.9
    assert plugins.missed(ended.stderr, "hook") == (0, 0)


def test_retry_after_the_end(panicmon):
    """Longer than is left: it is not asked again, and the end comes in time."""
    with webhooks.Receiver((429, {"Retry-After": "100"}, b"")) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver, drain="2s"))
        assert len(receiver.requests) == 1
    assert "handler 'hook': 2 of 2 events were not delivered" in ended.stderr
    assert 1.9 < ended.seconds < 40


@pytest.mark.parametrize("value", ["soon", "-5", "0", "Thu, 99 Foo 2040 00:00:00 GMT", ""])
def test_retry_after_that_says_nothing(panicmon, value):
    """It is as if it were not there: up to a second."""
    with webhooks.Receiver((503, {"Retry-After": value}, b""), 200) as receiver:
        run = panicmon.start(["sleep", "1000"], config=hook(panicmon, receiver))
        receiver.wait_for(2)
        run.send(signal.SIGTERM)
        run.wait()


def test_an_endless_response(panicmon):
    """It was accepted; what follows is not read."""
    def endless(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        with contextlib.suppress(OSError):
            while True:
                handler.wfile.write(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")
        handler.close_connection = True
    with webhooks.Receiver(endless, 200) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver, request_timeout="30s"))
        assert len(receiver.requests) == 2
    assert ended.stderr == ""
    assert ended.seconds < 30


def assert_timeout(panicmon, port, scheme="http", **keys):
    """A request to this port comes to nothing, is tried again, and the drain ends in time."""
    keys = {"connect_timeout": "300ms", "request_timeout": "600ms", **keys}
    section = webhooks.section(panicmon, f"{scheme}://127.0.0.1:{port}/hook", **keys)
    run = panicmon.start(["sleep", "1000"], config=webhooks.config(panicmon, section, drain="3s"))
    host = run.host("hook")
    pm.wait_until(lambda: "trying again" in run.stderr, what="the timeout to be told")
    run.send(signal.SIGTERM)
    begun = time.monotonic()
    assert run.host("hook") == host, "it was not killed for its slowness"
    run.wait()
    assert time.monotonic() - begun < 30
    assert "handler 'hook': 4 of 4 events were not delivered" in run.stderr
    return run.stderr


def test_a_hang_at_connect(panicmon):
    """A listener with a full queue: the kernel drops what knocks."""
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        assert "time" in assert_timeout(panicmon, listener.getsockname()[1]).lower()


def test_a_hang_in_tls(panicmon):
    with webhooks.silent_listener() as port:
        assert "time" in assert_timeout(panicmon, port, "https")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\nContent-", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab"],
                         ids=["no headers", "half of the headers", "half of the body"])
def test_a_hang_after_the_request(panicmon, answer):
    with webhooks.silent_listener(answer) as port:
        assert "timed out" in assert_timeout(panicmon, port).lower()


def test_a_long_request_within_a_short_timeout(panicmon):
    """A call that goes on is not cut off by the handler's `timeout`, which is for those that hang."""
    def slow(handler):
        time.sleep(9)
        webhooks.reply(handler, 200)
    with webhooks.Receiver(slow, 200) as receiver:
        ended = panicmon.run(["true"], config=hook(panicmon, receiver, timeout="4s", request_timeout="60s"))
        assert len(receiver.requests) == 2
    assert ended.stderr == ""


def test_a_dead_endpoint_delays_the_end_no_longer_than_drain_timeout(panicmon):
    with webhooks.silent_listener() as port:
        section = webhooks.section(panicmon, f"http://127.0.0.1:{port}/hook", request_timeout="5m", connect_timeout="5m")
        config = webhooks.config(panicmon, section, drain="2s")
        ended = panicmon.run(["true"], config=config)
    assert 1.9 < ended.seconds < 40
    assert ended.status == 0


def test_a_name_that_is_not_there(panicmon):
    config = webhooks.config(panicmon, webhooks.section(panicmon, "http://hooks.invalid/hook"), drain="0")
    said = webhooks.until_told(panicmon, config, "trying again")
    assert "http://hooks.invalid: Could not resolve host: hooks.invalid; trying again" in said


def test_a_start_waits_for_no_endpoint(panicmon):
    """The command runs at once, and it is only then that somebody is contacted."""
    with webhooks.silent_listener() as port:
        section = webhooks.section(panicmon, f"http://127.0.0.1:{port}/hook")
        run = panicmon.start(["sleep", "1000"], config=webhooks.config(panicmon, section, drain="0"))
        run.command(deadline=20)
        run.send(signal.SIGTERM)
        run.wait()


def test_a_check_contacts_nobody(panicmon):
    ctl = Ctl(panicmon)
    with webhooks.Receiver() as receiver:
        assert ctl.run("check", config=ctl.config(webhooks.section(panicmon, receiver.url()))).status == 0
        assert receiver.requests == []
