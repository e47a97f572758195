"""events = and when = of a section: which events a handler gets; and redact = of [panicmon]."""
import os
import signal

import pytest

import plugins
import pm
from ctl import Ctl

ALL = ["process.started", "signal.received", "signal.passed", "process.exited"]


@pytest.fixture
def filtered(panicmon, tmp_path):
    """Runs a command under two logs, one with the keys; returns what each got."""
    def run(command, stop=None, **keys):
        config = panicmon.config(panicmon.log_section("all", tmp_path / "all") +
                                 panicmon.log_section("some", tmp_path / "some", **keys))
        with panicmon.start(command, config=config) as one:
            if stop is not None:
                one.wait_for_stdout("ready")
                one.send(stop)
            done = one.wait()
        assert "handler" not in done.stderr and "some" not in done.stderr
        return pm.names(pm.read_events(tmp_path / "all")), pm.names(pm.read_events(tmp_path / "some"))
    return run


@pytest.mark.parametrize("events, wanted", [
    ("*", ALL),
    ("process.*", ["process.started", "process.exited"]),
    ("process.exited, process.failed", ["process.exited"]),
    ("signal.*", ["signal.received", "signal.passed"]),
    ("!signal.*", ["process.started", "process.exited"]),
    ("*, !*.passed !process.started", ["signal.received", "process.exited"]),
    ("process.failed", []),
])
def test_events(filtered, events, wanted):
    stopped = [pm.tool("sigcount"), "-q", int(signal.SIGTERM), os.devnull]
    assert filtered(stopped, stop=signal.SIGTERM, events=events) == (ALL, wanted)


@pytest.mark.parametrize("command, wanted", [
    (["true"], []),
    (["sh", "-c", "exit 3"], ["process.exited"]),
    (["sh", "-c", "kill -SEGV $$"], ["process.exited"]),
    (["no-such-command"], ["process.failed"]),
])
def test_failures_only(filtered, command, wanted):
    everything, some = filtered(command, when="failure")
    assert everything[0] == "process.started" and some == wanted


def test_a_stop_that_was_asked_for_is_no_failure(filtered):
    command = ["sh", "-c", "echo ready; while :; do sleep 0.1; done"]
    assert filtered(command, stop=signal.SIGTERM, when="failure") == (ALL, [])


def test_both(filtered):
    assert filtered(["sh", "-c", "exit 3"], when="failure", events="process.failed")[1] == []
    assert filtered(["no-such-command"], when="failure", events="process.failed")[1] == ["process.failed"]


def test_what_is_left_out_is_not_missed(panicmon, tmp_path):
    """It counts as delivered, and numbers are those of all events."""
    config = panicmon.config(plugins.section("one", "hostile", path=tmp_path / "notes", events="process.exited"))
    done = panicmon.run(["true"], config=config)
    assert done.stderr == ""
    assert plugins.notes(tmp_path / "notes") == ["open", (2, 3, 1), "close"]


def test_what_others_miss_can_be_left_out(panicmon, tmp_path):
    sections = plugins.section("drop", "hostile", result=3, seq=1)
    for name, keys in (("told", {}), ("deaf", {"events": "!handler.lost"})):
        sections += plugins.section(name, "patient", path=tmp_path / name, **keys)
    config = panicmon.config("[panicmon]\ndrain_timeout = 60s\n" + sections)
    with panicmon.start(["sleep", "1000"], config=config) as run:
        pm.wait_until(lambda: "lost drop 0 1" in plugins.notes(tmp_path / "told"), what="the loss to be told")
        run.send(signal.SIGTERM)
        run.wait()
    assert "lost drop 0 1" not in plugins.notes(tmp_path / "deaf")


@pytest.mark.parametrize("key, value, said", [
    ("events", "process.exitd", "'process.exitd' is no event; did you mean 'process.exited'?"),
    ("events", "crash", "'crash' matches no event; the events are process.started, process.failed, process.exited, "
                        "signal.received, signal.passed, signal.failed, handler.lost, process.recovered"),
    ("events", "!*", "no event is left; remove the '!' that takes the last, or the section"),
    ("when", "sometimes", "'sometimes' is none of: always, failure"),
])
def test_mistakes(panicmon, key, value, said):
    config = panicmon.config(f"[handler:log]\n\n{key} = {value}\n")
    done = panicmon.run(["true"], config=config)
    assert (done.status, done.stderr) == (125, f"panicmon: {config}:3: [handler:log] {key}: {said}\n")
    ctl = Ctl(panicmon)
    assert f"{config}:3: [handler:log] {key}: {said}" in ctl.run("check", config=config).stderr.splitlines()


# ---- panicmonctl test-fire ----

def fire(ctl, event, **keys):
    """What is said of the one handler; its status; and what it got."""
    section = plugins.section("one", "alert", path=ctl.folder / "notes", **keys)
    done = ctl.run("test-fire", "--event", event, config=ctl.config(section))
    notes = ctl.folder / "notes"
    return done.stdout.split(maxsplit=1)[1].lstrip("- ").strip(), done.status, notes.exists() and notes.read_text().split()[:2]


@pytest.mark.parametrize("event, keys, said", [
    ("process.started", {"events": "process.exited"}, "its `events` leave out process.started"),
    ("process.started", {"when": "failure"}, "its `when = failure` leaves out process.started"),
    ("signal.passed", {}, "not interested in signal.passed"),
    ("signal.passed", {"when": "failure"}, "not interested in signal.passed"),
])
def test_fire_says_what_is_left_out(panicmon, event, keys, said):
    assert fire(Ctl(panicmon), event, **keys) == (said, 0, False)


@pytest.mark.parametrize("event, number", [("process.exited", "3"), ("process.failed", "2"), ("process.recovered", "8")])
def test_fire_is_an_alert(panicmon, event, number):
    """With all that one has; and what is remembered of real ones stays as it is."""
    ctl = Ctl(panicmon)
    said, status, got = fire(ctl, event, when="failure")
    assert (said.split()[-1], status, got) == ("delivered", 0, [number, "1"])


def test_fire_keeps_nothing(panicmon, tmp_path):
    ctl = Ctl(panicmon)
    section = plugins.section("one", "alert", path=tmp_path / "notes")
    config = ctl.config(section, more=f"state_dir = {tmp_path / 'state'}\n")
    for _ in range(2):
        assert ctl.run("test-fire", config=config).status == 0
    assert [line.split()[:2] for line in (tmp_path / "notes").read_text().splitlines()] == [["3", "1"]] * 2
    assert ctl.run("check", config=config).status == 0
    assert not (tmp_path / "state").exists()


def test_check_tells_of_a_state_dir_that_cannot_be_used(panicmon, tmp_path):
    (tmp_path / "file").touch()
    ctl = Ctl(panicmon)
    config = panicmon.config(ctl.config(ctl.log(), more=f"state_dir = {tmp_path / 'file'}\n"))
    done = ctl.run("check", config=config)
    assert (done.status, done.stderr) == (
        1, f"{config}:5: [panicmon] state_dir: cannot use '{tmp_path / 'file'}' as a folder: Not a directory\n")


def test_check_tells_of_alert_keys_that_do_nothing(panicmon, tmp_path):
    ctl = Ctl(panicmon)
    section = plugins.section("one", "patient", path=tmp_path / "notes") + "alert_window = 1m\nstable_after = 1m\n"
    config = panicmon.config(ctl.config(section))
    lines = ctl.run("check", config=config).stderr.splitlines()
    assert [line.partition("] ")[2].partition(":")[0] for line in lines] == ["alert_window", "stable_after"]


# ---- redact ----

ARGUMENTS = ["--pin", "1234", "--card-number=5", "--password=x", "redis://u:p@h", "--user=me"]


@pytest.mark.parametrize("redact, wanted", [
    (None, ["--pin", "1234", "--card-number=5", "--password=***", "redis://u:***@h", "--user=me"]),
    ("pin", ["--pin", "***", "--card-number=5", "--password=***", "redis://u:***@h", "--user=me"]),
    ("Pin, card-number", ["--pin", "***", "--card-number=***", "--password=***", "redis://u:***@h", "--user=me"]),
    ("off", ARGUMENTS),
])
def test_redact(panicmon, tmp_path, redact, wanted):
    """No handler sees more, and the command gets all of it."""
    head = "" if redact is None else f"[panicmon]\nredact = {redact}\n"
    config = panicmon.config(head + panicmon.log_section("log", tmp_path / "events"))
    done = panicmon.run(["sh", "-c", 'echo "$@"', "sh", *ARGUMENTS], config=config)
    assert done.stdout == " ".join(ARGUMENTS) + "\n"
    for event in pm.read_events(tmp_path / "events"):
        assert event["args"][4:] == wanted


def test_redact_mistakes(panicmon):
    config = panicmon.config("[panicmon]\nredact = off, pin\n")
    done = panicmon.run(["true"], config=config)
    assert (done.status, done.stderr) == (
        125, f"panicmon: {config}:2: [panicmon] redact: 'pin' stands beside another; write off alone, or names only\n")
