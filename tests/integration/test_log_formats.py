"""Every line of every format is what its readers expect, whatever the arguments are."""
import json
import re
import signal

import pytest

import pm

FORMATS = ["text", "logfmt", "json", "ecs", "otel"]

CONTROLS = "".join(map(chr, range(1, 0x20))) + "\x7f" + "".join(map(chr, range(0x80, 0xa0)))
HOSTILE = ["sh", "-c", 'kill -SEGV $$', CONTROLS, "\u2028\u2029\u202e", 'say "hi" = \\ ', "\udcff\udcc0\udcaf",
           "\u00e9\U0001f600", "", "\x1b]0;title\x07", "{}", "k=v"]
SHOWN = [*HOSTILE[:6], "\ufffd\ufffd\ufffd", *HOSTILE[7:]]

# Each as one argument; the kernel takes 128 KiB in one.
MEGABYTE = [unit * (120000 // len(unit.encode(errors="surrogateescape"))) for unit in
            ("a", "\x1b", '"', "\udcff", "\u00e9", "\u009b", "\U0001f600", "\\", "\n")]


def run_lines(panicmon, tmp_path, kind, args, name="api"):
    log = tmp_path / f"log.{kind}"
    panicmon.run(args, config=panicmon.config(panicmon.log_section("log", log, format=kind)), name=name)
    data = log.read_bytes()
    assert data.endswith(b"\n")
    return data[:-1].decode("utf-8").split("\n")


def parse_logfmt(line):
    """{key: value}, by a grammar that leaves nothing over: one blank between pairs, a bare value or a
    string of JSON."""
    pair = r'[a-z_]+=(?:[^\x00-\x20"=\\\x7f]+|"(?:[^"\\\x00-\x1f]|\\.)*")'
    assert re.fullmatch(f"{pair}(?: {pair})*", line), line
    found = re.findall(r'([a-z_]+)=([^\x00-\x20"=\\\x7f]+|"(?:[^"\\\x00-\x1f]|\\.)*")', line)
    pairs = {key: json.loads(value) if value[0] == '"' else value for key, value in found}
    assert len(pairs) == len(found), "a key that stands twice"
    return pairs


def parse_object(line):
    def unique(pairs):
        assert len(dict(pairs)) == len(pairs), "a key that stands twice"
        return dict(pairs)
    return json.loads(line, object_pairs_hook=unique)


def parse_any(value):
    """Of an AnyValue of OTLP/JSON, each kind as strictly as the protocol has it."""
    (kind, inner), = value.items()
    if kind == "arrayValue":
        return [parse_any(item) for item in inner["values"]]
    if kind == "intValue":
        assert isinstance(inner, str)
        return int(inner)
    assert isinstance(inner, {"stringValue": str, "boolValue": bool}[kind])
    return inner


def attributes(pairs):
    found = {pair["key"]: parse_any(pair["value"]) for pair in pairs}
    assert len(found) == len(pairs), "an attribute that stands twice"
    assert all(set(pair) == {"key", "value"} for pair in pairs)
    return found


def parse_otel(line):
    """(log record, its attributes, those of the resource)."""
    data = parse_object(line)
    assert list(data) == ["resourceLogs"]
    (resource_logs,), = data.values()
    scope_logs, = resource_logs["scopeLogs"]
    assert scope_logs["scope"]["name"] == "panicmon"
    record, = scope_logs["logRecords"]
    return record, attributes(record["attributes"]), attributes(resource_logs["resource"]["attributes"])


def args_of(line, kind):
    return {"json": lambda: parse_object(line)["args"],
            "ecs": lambda: parse_object(line)["process.args"],
            "otel": lambda: parse_otel(line)[2]["process.command_args"],
            "logfmt": lambda: parse_logfmt(line)["args"],
            "text": lambda: None}[kind]()


@pytest.mark.parametrize("kind", FORMATS)
def test_hostile_arguments(panicmon, tmp_path, kind):
    lines = run_lines(panicmon, tmp_path, kind, HOSTILE, name="a\nb \x1b\"=\u202e")
    assert len(lines) == 2
    for line in lines:
        assert not re.search("[\x00-\x1f\x80-\x9f\u2028-\u202e]", line)
        args = args_of(line, kind)
        if isinstance(args, list):
            assert args == SHOWN
        elif args is not None:
            assert r"""'say "hi" = \ '""" in args and r"$'\x1b]0;title\x07'" in args


@pytest.mark.parametrize("kind", FORMATS)
def test_a_megabyte_of_arguments(panicmon, tmp_path, kind):
    lines = run_lines(panicmon, tmp_path, kind, ["true", *MEGABYTE])
    assert len(lines) == 2
    shown = ["true", *(arg.replace("\udcff", "\ufffd") for arg in MEGABYTE)]
    for line in lines:
        args = args_of(line, kind)
        assert len(line) > 1000000 or kind == "text"
        if isinstance(args, list):
            assert args == shown


def crash(panicmon, tmp_path, kind):
    return run_lines(panicmon, tmp_path, kind, ["/bin/sh", "-c", "ulimit -c 0; kill -SEGV $$"])


def test_logfmt(panicmon, tmp_path):
    started, exited = map(parse_logfmt, crash(panicmon, tmp_path, "logfmt"))
    assert list(started)[:4] == ["time", "level", "msg", "event"]
    assert started["level"] == "info"
    assert started["msg"] == "process.started: running /bin/sh -c 'ulimit -c 0; kill -SEGV $$'"
    assert exited["level"] == "fatal"
    assert exited["signal"] == "SIGSEGV"
    assert exited["status"] == "139"
    assert exited["core"] == "false"


def test_ecs(panicmon, tmp_path):
    started, exited = map(parse_object, crash(panicmon, tmp_path, "ecs"))
    for event in (started, exited):
        assert list(event)[:4] == ["@timestamp", "log.level", "message", "ecs.version"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["@timestamp"])
        assert event["event.kind"] == "event"
        assert event["event.category"] == ["process"]
        assert event["service.name"] == "api"
        assert event["process.name"] == "sh"
        assert event["process.args"][0] == "/bin/sh"
        assert not any(isinstance(value, dict) for value in event.values())
        ecs_sets = ("@timestamp", "message", "ecs.", "log.", "event.", "service.", "process.", "host.", "panicmon.")
        assert all(key.startswith(ecs_sets) for key in event)
    assert started["event.type"] == ["start"]
    assert started["event.outcome"] == "success"
    assert started["event.action"] == "process.started"
    assert started["event.sequence"] == 1
    assert exited["event.type"] == ["end"]
    assert exited["event.outcome"] == "failure"
    assert exited["event.duration"] % 1000000 == 0
    assert exited["event.reason"] == "signaled"
    assert exited["log.level"] == "fatal"
    assert exited["process.exit_code"] == 139
    assert exited["process.pid"] == started["process.pid"]
    assert re.fullmatch("[0-9a-f]{32}", exited["event.code"])
    assert exited["event.code"] != started["event.code"]


def test_ecs_of_a_failed_start(panicmon, tmp_path):
    failed = parse_object(run_lines(panicmon, tmp_path, "ecs", ["/nowhere/at-all"])[-1])
    assert failed["error.code"] == "ENOENT"
    assert failed["error.message"] == "No such file or directory"
    assert failed["event.outcome"] == "failure"
    assert failed["log.level"] == "error"


def test_otel(panicmon, tmp_path):
    lines = crash(panicmon, tmp_path, "otel")
    (started, _, resource), (exited, attrs, _) = map(parse_otel, lines)
    assert resource["service.name"] == "api"
    assert resource["process.executable.name"] == "sh"
    assert resource["process.pid"] > 0
    assert started["severityNumber"] == 9
    assert started["eventName"] == "panicmon.process.started"
    assert exited["severityNumber"] == 21
    assert exited["severityText"] == "fatal"
    assert exited["body"]["stringValue"].startswith("process.exited: killed by SIGSEGV")
    assert int(exited["timeUnixNano"]) > int(started["timeUnixNano"]) > 10**18
    assert attrs["process.exit.code"] == 139
    assert attrs["panicmon.signal"] == "SIGSEGV"
    assert attrs["panicmon.core"] is False
    assert all(key.startswith(("process.", "panicmon.")) for key in attrs)


@pytest.mark.parametrize("code,number", [(0, 9), (1, 17)])
def test_otel_severity_of_an_exit(panicmon, tmp_path, code, number):
    line = run_lines(panicmon, tmp_path, "otel", ["sh", "-c", f"exit {code}"])[-1]
    assert parse_otel(line)[0]["severityNumber"] == number


@pytest.mark.parametrize("kind", FORMATS)
def test_signals_and_no_other_name(panicmon, tmp_path, kind):
    """The message is that of the text format."""
    log, text = tmp_path / "log", tmp_path / "text"
    config = panicmon.config(panicmon.log_section("log", log, format=kind) +
                             panicmon.log_section("text", text, format="text"))
    run = panicmon.start([pm.tool("sigcount"), "-n", 1, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    run.send(signal.SIGHUP)
    run.wait()
    lines, texts = log.read_text().splitlines(), text.read_text().splitlines()
    assert len(lines) == len(texts) == 4
    message = {"text": lambda line: None, "json": lambda line: None,
               "logfmt": lambda line: parse_logfmt(line)["msg"],
               "ecs": lambda line: parse_object(line)["message"],
               "otel": lambda line: parse_otel(line)[0]["body"]["stringValue"]}[kind]
    for line, shown in zip(lines, texts):
        if message(line) is not None:
            assert shown.split(None, 4)[3:] == re.split(": ", message(line), maxsplit=1)
