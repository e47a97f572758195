"""What the formats of the webhook handler make of an event: JSON that the receivers take, also where the
event comes from somebody who means harm."""
import json
import os
import re
import urllib.request

import pytest

import pm
import webhooks
from ctl import Ctl
from ports import free_port

CHAT = ["slack", "teams", "discord", "googlechat"]
TEMPLATE = '{"who": "{name}@{host}", "n": {seq}, "args": {args}, "line": "x{command}x", "all": {data}, "end": "{code}"}'

HOSTILE = [b'"},{"a":"', b"\\", b"\xff\xfe\xc0\x80\xed\xa0\x80", b"\n\r\t\x01\x1b[31m\x7f", b"{name} ${x} {{", b"%22%00",
           "\u2028\u202e\x85<!channel> <@U1> <users/all> @everyone [a](http://b) `*_~` &amp; </script>".encode(),
           "\U0001f4a5".encode() * 50, b"", b"x" * 5000]


def every_format(tmp_path, url):
    """name: keys"""
    secret = {"secret_file": webhooks.secret_file(tmp_path, webhooks.SECRET)}
    key = {"routing_key_file": webhooks.secret_file(tmp_path, "key", "key")}
    formats = {name: {"url": url} for name in ("cloudevents", "cloudevents-binary", "alertmanager", *CHAT)}
    formats["standard"] = {"url": url, **secret}
    formats["pagerduty"] = {"url": url, **key}
    formats["template"] = {"url": url, "template": TEMPLATE}
    return formats


FORMATS = sorted(["cloudevents", "cloudevents-binary", "alertmanager", "standard", "pagerduty", "template", *CHAT])


def run_hostile(panicmon, tmp_path, name, extra=()):
    """The requests for a command that fails, of hostile name and arguments."""
    with webhooks.Receiver((200, {}, b"ok")) as receiver:
        section = webhooks.section(panicmon, format=name, **every_format(tmp_path, receiver.url())[name])
        command = ["sh", "-c", "exit 3", *map(os.fsdecode, [*HOSTILE, *extra])]
        ended = panicmon.run(command, config=webhooks.config(panicmon, section), name='a"b\\c <!here>\u00e9\u202e')
        assert ended.stderr == ""
        assert ended.status == 3
        return receiver.requests


@pytest.mark.parametrize("name", FORMATS)
def test_hostile_arguments(panicmon, tmp_path, name):
    requests = run_hostile(panicmon, tmp_path, name)
    assert len(requests) == (1 if name in ("alertmanager", "pagerduty") else 2)
    for request in requests:
        assert request.json
        assert len(request.body) < 64 * 1024
        assert all(" " <= c <= "~" for value in request.headers.values() for c in value)
        assert "\u202e" not in request.body.decode()
        assert "\x85" not in request.body.decode()


@pytest.mark.parametrize("name", FORMATS)
def test_a_megabyte_of_arguments(panicmon, tmp_path, name):
    for request in run_hostile(panicmon, tmp_path, name, extra=[b"\x01\"" * 50_000] * 10):
        assert request.json
        assert len(request.body) <= 64 * 1024


@pytest.mark.parametrize("name", CHAT)
def test_nobody_is_called_by_an_argument(panicmon, tmp_path, name):
    text = run_hostile(panicmon, tmp_path, name)[-1].body.decode()
    message = json.loads(text)
    if name == "slack":
        assert "<" not in text and "&lt;!channel&gt;" in text and message["mrkdwn"] is False
        assert message["attachments"][0]["mrkdwn_in"] == []
    elif name == "discord":
        assert message["allowed_mentions"] == {"parse": []}
        assert "](" not in text and "\\\\@everyone" in text
    elif name == "teams":
        assert "TextBlock" not in text.replace("RichTextBlock", "")
    else:
        assert "<" not in message["text"]
        assert "<" not in json.dumps(message["cardsV2"][0]["card"]["sections"])


def test_the_limits_of_discord(panicmon, tmp_path):
    embed = run_hostile(panicmon, tmp_path, "discord")[-1].json["embeds"][0]
    assert len(embed["description"]) <= 4096
    assert all(1 <= len(field["value"]) <= 1024 for field in embed["fields"])


def test_binary_attributes_are_percent_encoded(panicmon, tmp_path):
    headers = run_hostile(panicmon, tmp_path, "cloudevents-binary")[-1].headers
    assert headers["ce-subject"] == "a%22b\\c%20<!here>%C3%A9%EF%BF%BD"
    assert re.fullmatch(r"/panicmon/[^/]+/a%2522b%255Cc%2520%253C%2521here%253E%25C3%25A9%25EF%25BF%25BD",
                        headers["ce-source"])


def send(panicmon, command, **keys):
    with webhooks.Receiver((202, {}, b"")) as receiver:
        section = webhooks.section(panicmon, receiver.url(), **keys)
        panicmon.run(command, config=webhooks.config(panicmon, section), name="api")
        return receiver.requests


def test_pagerduty(panicmon, tmp_path):
    """A crash triggers what a clean exit resolves; no start or signal is an incident."""
    key = webhooks.secret_file(tmp_path, "e93facc04764012d7bfb002500d5d1a6")
    keys = {"format": "pagerduty", "routing_key_file": key}
    trigger, = (request.json for request in send(panicmon, ["sh", "-c", "kill -SEGV $$"], **keys))
    resolve, = (request.json for request in send(panicmon, ["true"], **keys))
    assert trigger["event_action"] == "trigger"
    assert trigger["routing_key"] == "e93facc04764012d7bfb002500d5d1a6"
    payload = trigger["payload"]
    assert payload["severity"] == "critical"
    assert payload["summary"].startswith("api was killed by SIGSEGV on ")
    assert len(payload["summary"]) <= 1024
    assert payload["component"] == "api"
    assert payload["source"] and payload["timestamp"]
    assert payload["custom_details"]["signal"] == "SIGSEGV"
    assert resolve == {"routing_key": trigger["routing_key"], "event_action": "resolve",
                       "dedup_key": trigger["dedup_key"]}
    assert 0 < len(trigger["dedup_key"]) <= 255


def test_a_command_that_is_not_there(panicmon):
    request = send(panicmon, ["/nonexistent"], format="alertmanager")[0].json[0]
    assert "could not be started" in request["annotations"]["summary"]
    assert "No such file or directory" in request["annotations"]["summary"]


class Alertmanager:
    """Debian's, on a free port. As a context manager it ends with the block."""

    def __init__(self, panicmon):
        folder = panicmon.folder / "alertmanager"
        folder.mkdir()
        (folder / "config.yml").write_text("route:\n  receiver: none\nreceivers:\n  - name: none\n", encoding="utf-8")
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/api/v2/alerts"
        with open(folder / "log", "wb") as log:
            self.popen = panicmon.spawn(
                ["prometheus-alertmanager", f"--config.file={folder}/config.yml", f"--storage.path={folder}",
                 f"--web.listen-address=127.0.0.1:{port}", "--cluster.listen-address="], stdout=log, stderr=log)
        pm.wait_until(self._answers, what=lambda: "Alertmanager: " + (folder / "log").read_text())

    def _answers(self):
        try:
            return self.alerts() is not None
        except OSError:
            return False

    def alerts(self):
        """Those that are not over."""
        with urllib.request.urlopen(self.url, timeout=10) as response:
            return json.load(response)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.popen.kill()
        self.popen.wait(pm.DEADLINE)


def test_alertmanager_shows_the_alert_and_its_end(panicmon):
    with Alertmanager(panicmon) as server:
        section = webhooks.section(panicmon, server.url, format="alertmanager", labels="severity=critical, team=db")
        config = webhooks.config(panicmon, section)
        for _ in range(2):
            assert panicmon.run(["sh", "-c", "exit 3"], config=config, name="api").stderr == ""
        alert, = pm.wait_until(server.alerts, what="the alert")
        assert alert["status"]["state"] in ("active", "unprocessed")
        labels = alert["labels"]
        assert labels.pop("instance")
        assert labels == {"alertname": "ServiceCrashed", "job": "api", "severity": "critical", "team": "db"}
        assert alert["annotations"]["summary"].startswith("api exited with code 3 on ")
        # Long after what Alertmanager itself would take for the end.
        assert alert["endsAt"][:10] > alert["startsAt"][:10]
        assert panicmon.run(["true"], config=config, name="api").stderr == ""
        pm.wait_until(lambda: server.alerts() == [], what="the end of the alert")


def test_a_template(panicmon, tmp_path):
    path = tmp_path / "template.json"
    path.write_text(TEMPLATE, encoding="utf-8")
    started, exited = (request.json for request in send(panicmon, ["sh", "-c", "exit 3"], format="template",
                                                        template_file=path))
    assert started["who"].startswith("api@")
    assert (started["n"], started["end"]) == (1, "")
    assert (exited["n"], exited["end"]) == (2, "3")
    assert exited["args"] == ["sh", "-c", "exit 3"]
    assert exited["line"] == "xsh -c 'exit 3'x"
    assert exited["all"]["event"] == "process.exited"


@pytest.mark.parametrize("template, said", [
    ('{"a": "{nmae}"}', "names '{nmae}', which no event has"),
    ('{"a": {code}', "makes no JSON object or list: line 1"),
    ('{"a": }', "makes no JSON object or list: line 1"),
    ("{name}", "makes no JSON object or list"),
    (r'{"a": "\{host}"}', "has '{host}' behind a backslash"),
    (r'{"a": "x\{signal}n"}', "has '{signal}' behind a backslash"),
    (r'{"a": "\u12{signal}34"}', "has '{signal}' behind a backslash"),
    (r'{"a": "\\{host}\u0041{name}", "b": "\x{host}"}', "makes no JSON object or list"),
    ("plain", "makes no JSON object or list")])
def test_templates_that_are_none(panicmon, template, said):
    ctl = Ctl(panicmon)
    text = webhooks.section(panicmon, "http://127.0.0.1/", format="template", template=template)
    ended = ctl.run("check", config=ctl.config(text))
    assert ended.status == 1
    assert said in ended.stderr


def test_a_template_is_for_its_format(panicmon):
    ctl = Ctl(panicmon)
    for keys, said in (({"template": "{}"}, "a template is for format = template only"),
                       ({"format": "template"}, "wants template or template_file, one of them")):
        text = webhooks.section(panicmon, "http://127.0.0.1/", **keys)
        assert said in ctl.run("check", config=ctl.config(text)).stderr


def test_a_test_is_marked_as_one(panicmon):
    """What panicmonctl test-fire sends is real; people are to know that nothing has happened."""
    with webhooks.Receiver((200, {}, b"ok")) as receiver:
        ctl = Ctl(panicmon)
        ended = ctl.run("test-fire", "hook", config=ctl.config(webhooks.section(panicmon, receiver.url(), format="slack")))
        assert ended.status == 0, ended
        assert receiver.requests[0].json["text"].startswith("TEST: ")
