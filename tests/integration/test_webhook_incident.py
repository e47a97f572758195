"""A crash loop, as whoever is called by the webhook handler sees it: once, and then its end."""
import signal

import pm
import webhooks
from test_webhook_formats import Alertmanager


def config(panicmon, tmp_path, url, stable_after="1h", **keys):
    """Without `stable_after` no run that fails is taken for a stable one, however long it takes."""
    state = tmp_path / "state"
    state.mkdir(exist_ok=True)
    section = webhooks.section(panicmon, url, alert_window="1h", stable_after=stable_after, **keys)
    return webhooks.config(panicmon, section, more=f"state_dir = {state}\n")


def test_a_crash_loop_and_a_stable_run(panicmon, tmp_path):
    key = webhooks.secret_file(tmp_path, "e93facc04764012d7bfb002500d5d1a6")
    with webhooks.Receiver(202) as receiver:
        keys = {"url": receiver.url(), "format": "pagerduty", "routing_key_file": key}
        path = config(panicmon, tmp_path, **keys)
        for _ in range(3):
            panicmon.run(["sh", "-c", "exit 3"], config=path, name="api")
        assert len(receiver.requests) == 1
        path = config(panicmon, tmp_path, stable_after="300ms", **keys)
        run = panicmon.start(["sleep", "1000"], config=path, name="api")
        trigger, resolve = (request.json for request in receiver.wait_for(2)[:2])
        run.send(signal.SIGTERM)
        run.wait()
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"]
    assert all(request.json["event_action"] == "resolve" for request in receiver.requests[1:])


def test_alertmanager_sees_the_recovery_of_a_run_that_goes_on(panicmon, tmp_path):
    with Alertmanager(panicmon) as server:
        keys = {"url": server.url, "format": "alertmanager"}
        path = config(panicmon, tmp_path, **keys)
        panicmon.run(["sh", "-c", "exit 3"], config=path, name="api")
        pm.wait_until(server.alerts, what="the alert")
        path = config(panicmon, tmp_path, stable_after="300ms", **keys)
        run = panicmon.start(["sleep", "1000"], config=path, name="api")
        pm.wait_until(lambda: server.alerts() == [], what="the end of the alert")
        run.send(signal.SIGTERM)
        run.wait()


def test_people_are_told_what_a_message_stands_for(panicmon, tmp_path):
    with webhooks.Receiver((200, {}, b"ok")) as receiver:
        keys = {"url": receiver.url(), "format": "slack", "when": "failure"}
        path = config(panicmon, tmp_path, **keys)
        for _ in range(3):
            panicmon.run(["sh", "-c", "exit 3"], config=path, name="api")
        path = config(panicmon, tmp_path, stable_after="300ms", **keys)
        run = panicmon.start(["sleep", "1000"], config=path, name="api")
        crash, recovery = (request.json["text"] for request in receiver.wait_for(2)[:2])
        run.send(signal.SIGTERM)
        run.wait()
        assert len(receiver.requests) == 2
    assert crash.startswith("api exited with code 3 on ")
    assert recovery.startswith("api has recovered on ")
    assert recovery.endswith(" after 3 crashes")
