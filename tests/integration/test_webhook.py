"""The webhook handler delivers: CloudEvents and signatures through the libraries of their makers, order,
retries, ten thousand events."""
import re
import signal
import socket

import pytest

import pm
import webhooks
from ports import free_port
from test_delivery import storm

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
EVENTS = ["process.started", "signal.received", "signal.passed", "process.exited"]


def run_to_a_term(panicmon, config):
    """Four events."""
    run = panicmon.start(["sleep", "1000"], config=config, name="api")
    run.command()
    run.send(signal.SIGTERM)
    return run.wait()


def assert_strict(event, name):
    """What the SDK lets pass."""
    assert all(re.fullmatch("[a-z0-9]{1,20}", key) for key in event), event
    assert event["specversion"] == "1.0"
    assert event["type"] == "io.github.panicmon." + name
    assert re.fullmatch(r"[0-9a-f]{32}-\d+", event["id"])
    assert re.fullmatch(r"/panicmon/[\w.~%-]+/api", event["source"])
    assert RFC_3339.fullmatch(event["time"])
    assert event["subject"] == "api"
    assert event["datacontenttype"] == "application/json"
    assert event["data"]["event"] == name


@pytest.mark.parametrize("mode", ["cloudevents", "cloudevents-binary"])
def test_cloudevents_through_the_sdk(panicmon, mode):
    with webhooks.Node(panicmon) as node:
        config = webhooks.config(panicmon, webhooks.section(panicmon, node.url, format=mode))
        assert run_to_a_term(panicmon, config).stderr == ""
        requests = node.requests
    assert len(requests) == len(EVENTS)
    for request, name in zip(requests, EVENTS):
        assert "error" not in request["event"]
        binary = mode == "cloudevents-binary"
        assert request["headers"]["content-type"] == ("application/json" if binary else "application/cloudevents+json")
        assert ("ce-id" in request["headers"]) == binary
        event = request["event"]["value"]
        # The SDK parses the time and prints it as JavaScript does.
        if binary:
            assert RFC_3339.fullmatch(request["headers"]["ce-time"])
            event["time"] = request["headers"]["ce-time"]
            event["datacontenttype"] = request["headers"]["content-type"]
        else:
            event["time"] = re.search(r'"time":"([^"]*)"', request["body"]).group(1)
        assert_strict(event, name)
    assert len({request["event"]["value"]["id"] for request in requests}) == len(EVENTS)


def test_a_signature_through_the_library(panicmon, tmp_path):
    secret = webhooks.secret_file(tmp_path, webhooks.SECRET)
    with webhooks.Node(panicmon, webhooks.SECRET) as node:
        config = webhooks.config(panicmon, webhooks.section(panicmon, node.url, format="standard", secret_file=secret))
        run_to_a_term(panicmon, config)
        requests = node.requests
    assert len(requests) == len(EVENTS)
    for request, name in zip(requests, EVENTS):
        assert request["signed"]["value"]["type"] == name
        assert RFC_3339.fullmatch(request["signed"]["value"]["timestamp"])
        assert request["signed"]["value"]["data"]["name"] == "api"
        assert "No matching signature" in request["altered"]["error"]
        assert "No matching signature" in request["postponed"]["error"]


@pytest.mark.parametrize("known", [webhooks.SECRET, webhooks.OLD_SECRET])
def test_two_secrets_while_rotating(panicmon, tmp_path, known):
    """Whoever knows the one or the other accepts it, in any format."""
    secret = webhooks.secret_file(tmp_path, f"{webhooks.SECRET}\n{webhooks.OLD_SECRET}")
    with webhooks.Node(panicmon, known) as node:
        config = webhooks.config(panicmon, webhooks.section(panicmon, node.url, secret_file=secret))
        panicmon.run(["true"], config=config)
        requests = node.requests
    for request in requests:
        assert len(request["headers"]["webhook-signature"].split()) == 2
        assert request["signed"]["value"]["specversion"] == "1.0"


def test_a_retry_keeps_the_id_and_is_signed_anew(panicmon, tmp_path):
    secret = webhooks.secret_file(tmp_path, webhooks.SECRET)
    again = (503, {"Retry-After": "2"}, b"")
    with webhooks.Receiver(again, 200) as receiver:
        section = webhooks.section(panicmon, receiver.url(), format="standard", secret_file=secret)
        run = panicmon.start(["sleep", "1000"], config=webhooks.config(panicmon, section))
        first, second = receiver.wait_for(2)[:2]
        run.send(signal.SIGTERM)
        run.wait()
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert int(second.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert first.headers["webhook-signature"] != second.headers["webhook-signature"]


def test_events_come_in_order_after_an_outage(panicmon):
    """Nothing listens at first."""
    port = free_port()
    run = panicmon.start(["sleep", "1000"], config=webhooks.config(
        panicmon, webhooks.section(panicmon, f"http://127.0.0.1:{port}/hook")))
    pm.wait_until(lambda: "trying again" in run.stderr, what="a failure to be told")
    with webhooks.Receiver(address=("127.0.0.1", port)) as receiver:
        run.send(signal.SIGTERM)
        run.wait()
        names = [request.json["data"]["event"] for request in receiver.requests]
    assert names == EVENTS
    assert run.stderr.count("trying again") == 1
    assert "it works again" in run.stderr


def test_ten_thousand_events_once_each(panicmon, tmp_path):
    signals = 5000
    with webhooks.Node(panicmon) as node:
        config = webhooks.config(panicmon, webhooks.section(panicmon, node.url), drain="10m")
        taken = tmp_path / "taken"
        run = panicmon.start([pm.tool("sigcount"), "-n", signals, taken], config=config)
        run.wait_for_stdout("ready")
        storm(panicmon, run.pid, signals)
        ended = run.wait(10 * pm.DEADLINE)
        requests = node.requests
    assert ended.stderr == ""
    seqs = [request["event"]["value"]["data"]["seq"] for request in requests]
    assert seqs == list(range(1, 2 * signals + 3))
    assert requests[-1]["connections"] == 1


def test_a_unix_socket(panicmon, tmp_path):
    path = str(tmp_path / "socket")
    with webhooks.Receiver(family=socket.AF_UNIX, address=path) as receiver:
        section = webhooks.section(panicmon, "http://localhost/hook", unix_socket=path)
        panicmon.run(["true"], config=webhooks.config(panicmon, section))
        assert [request.path for request in receiver.requests] == ["/hook"] * 2


def test_a_proxy_of_the_environment(panicmon):
    with webhooks.Receiver() as proxy:
        section = webhooks.section(panicmon, "http://hooks.invalid/hook")
        panicmon.run(["true"], config=webhooks.config(panicmon, section),
                     env={"http_proxy": f"http://127.0.0.1:{proxy.port}", "no_proxy": ""})
        assert [request.path for request in proxy.requests] == ["http://hooks.invalid/hook"] * 2
        assert proxy.requests[0].headers["host"] == "hooks.invalid"
