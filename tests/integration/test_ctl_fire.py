"""panicmonctl test-fire: a real delivery, and what the handler said of it."""
import re

import pytest

import plugins
import pm
from ctl import LEAVES_THREAD, Ctl, hostile


@pytest.fixture
def ctl(panicmon):
    return Ctl(panicmon)


def answers(done):
    """By handler: how long it took (None: it never answered), and what it said."""
    rows = [re.fullmatch(r"(\S+) +(?:(\d+\.\d) ms|-) +(\S.*)", line) for line in done.stdout.splitlines()]
    assert all(rows), done
    return {row[1]: (None if row[2] is None else float(row[2]), row[3]) for row in rows}


def test_the_default_is_a_crash(ctl):
    done = ctl.run("test-fire", config=ctl.config(ctl.log(), more="name = api\n"))
    assert (done.status, done.stderr) == (0, "")
    assert answers(done)["log"][1] == "delivered" and answers(done)["log"][0] >= 0
    event, = pm.read_events(ctl.folder / "log")
    assert (event["event"], event["severity"], event["name"], event["test"]) == ("process.exited", "fatal", "api", True)
    for key in ("pid", "code", "signal", "core", "status", "reason", "runtime_ms", "cpu_user_us", "cpu_system_us", "max_rss_kb",
                "stop_requested", "stop_signal", "stop_pid", "stop_uid", "args", "host", "run", "seq"):
        assert key in event, key


@pytest.mark.parametrize("name, keys", [
    ("process.started", []),
    ("process.failed", ["error", "status"]),
    ("process.exited", ["signal", "status"]),
    ("signal.received", ["signal", "sender_pid", "sender_uid", "sender_command", "si_code", "value"]),
    ("signal.passed", ["signal", "sender_pid", "sender_uid", "sender_command", "si_code", "value", "target_pid"]),
    ("signal.failed", ["error", "signal", "sender_pid", "sender_uid", "sender_command", "si_code", "value", "target_pid"]),
])
def test_each_event(ctl, name, keys):
    assert ctl.run("test-fire", "--event", name, config=ctl.config(ctl.log())).status == 0
    event, = pm.read_events(ctl.folder / "log")
    assert (event["event"], event["test"]) == (name, True)
    assert [key for key in keys if key not in event] == []


def test_all_handlers_or_one(ctl):
    config = ctl.panicmon.config(ctl.config(ctl.log("one"), ctl.log("two")))
    assert set(answers(ctl.run("test-fire", config=config))) == {"one", "two"}
    assert set(answers(ctl.run("test-fire", "two", config=config))) == {"two"}
    assert len(pm.read_events(ctl.folder / "one")) == 1 and len(pm.read_events(ctl.folder / "two")) == 2


@pytest.mark.parametrize("keys, said", [
    ({"result": "2"}, "asked to retry"),
    ({"result": "3"}, "dropped"),
    ({"result": "4"}, "dead"),
    ({"result": "17"}, "returned 17, which is no result"),
    ({"how": "crash"}, "crashed: its process was killed by SIGSEGV"),
    ({"how": "abort"}, "crashed: its process was killed by SIGABRT"),
    ({"how": "exit"}, "crashed: its process left with exit status 0"),
    pytest.param({"how": "pthread_exit"}, "crashed: its process left with exit status 0", marks=LEAVES_THREAD),
    ({"how": "hang", "timeout": "500ms"}, "timed out"),
    ({"how": "hang-blocked", "timeout": "500ms"}, "timed out"),
    ({"where": "flush", "result": "2"}, "held; flush() asked to retry"),
    ({"where": "flush", "result": "3"}, "held; dropped in flush()"),
    ({"where": "flush", "result": "4"}, "held; dead in flush()"),
    ({"where": "flush", "how": "crash"}, "held, crashed in flush(): its process was killed by SIGSEGV"),
    ({"where": "flush", "how": "hang"}, "held, timed out in flush()"),
    ({"where": "open", "result": "-1"}, "refused to open"),
    ({"where": "open", "how": "crash"}, "crashed in open(): its process was killed by SIGSEGV"),
    ({"where": "open", "how": "hang", "timeout": "500ms"}, "timed out in open()"),
])
def test_what_is_not_delivered(ctl, keys, said):
    """The event is in the plugin's hands once, and the handler beside it gets it."""
    notes = ctl.folder / "notes"
    drains = {"drain_timeout": "2s"} if keys.get("where") == "flush" else {}
    done = ctl.run("test-fire", config=ctl.config(hostile(path=notes, **keys), ctl.log(), **drains))
    assert done.status == 1
    assert answers(done)["bad"][1] == said
    assert answers(done)["log"][1] == "delivered"
    assert plugins.seqs(notes) == ([] if keys.get("where") == "open" else [1])
    assert len(pm.read_events(ctl.folder / "log")) == 1


@pytest.mark.parametrize("keys, said", [
    ({}, "delivered"),
    ({"how": "disturb"}, "delivered"),
    ({"how": "reap"}, "delivered"),
    ({"how": "print"}, "delivered"),
    ({"where": "flush"}, "held and flushed"),
    ({"where": "close", "how": "crash"}, "delivered, then crashed: its process was killed by SIGSEGV"),
])
def test_what_is_delivered(ctl, keys, said):
    done = ctl.run("test-fire", config=ctl.config(hostile(**keys)))
    assert (done.status, answers(done)["bad"][1]) == (0, said)
    assert all(line.startswith("panicmonctl[bad]: ") for line in done.stderr.splitlines())


def test_one_that_hangs_in_close(ctl):
    done = ctl.run("test-fire", config=ctl.config(hostile(where="close", how="hang"), drain_timeout="1s"))
    assert (done.status, answers(done)["bad"][1]) == (0, "delivered, then timed out")


def test_one_that_is_not_ready(ctl):
    done = ctl.run("test-fire", config=ctl.config(hostile(where="open", result="2"), start_timeout="2s"))
    assert (done.status, answers(done)["bad"][1]) == (1, "asked to retry open()")


def test_open_can_be_asked_for_again(ctl):
    done = ctl.run("test-fire", config=ctl.config(hostile(where="open", result="2", times="1")))
    assert (done.status, answers(done)["bad"][1]) == (0, "delivered")


def test_the_time_that_it_took(ctl):
    done = ctl.run("test-fire", config=ctl.config(plugins.section("held", "held", path=ctl.folder / "notes")))
    took, said = answers(done)["held"]
    assert (done.status, said) == (0, "held and flushed") and 0 <= took < 1000 * done.seconds


def test_one_without_a_function_for_it(ctl):
    done = ctl.run("test-fire", "-e", "signal.passed",
                   config=ctl.config(plugins.section("past", "past", path=ctl.folder / "notes")))
    assert (done.status, answers(done)["past"]) == (0, (None, "not interested in signal.passed"))


def test_the_reason_of_a_refusal_is_told(ctl):
    config = ctl.panicmon.config(ctl.config(ctl.log(path="/proc/none")))
    done = ctl.run("test-fire", config=config)
    assert (done.status, answers(done)["log"][1]) == (1, "refused to open")
    assert done.stderr.startswith(f"panicmonctl: {config}:5: [handler:log] cannot open '/proc/none' for appending")


@pytest.mark.parametrize("name, said", [
    ("lgo", "the config has no [handler:lgo]; did you mean 'log'?"),
    ("other", "the config has no [handler:other]; add it, or name another"),
])
def test_a_handler_that_is_not_there(ctl, name, said):
    done = ctl.run("test-fire", name, config=ctl.config(ctl.log()))
    assert (done.status, done.stdout, done.stderr) == (1, "", f"panicmonctl: {said}\n")


def test_no_handler_at_all(ctl):
    done = ctl.run("test-fire", config=ctl.config())
    assert (done.status, done.stderr) == (1, "panicmonctl: the config has no handler; add a section [handler:NAME]\n")


def test_a_config_with_mistakes_fires_nothing(ctl):
    done = ctl.run("test-fire", config=ctl.config(ctl.log(), more="nmae = x\n"))
    assert (done.status, done.stdout) == (1, "")
    assert "unknown key 'nmae'" in done.stderr
    assert not (ctl.folder / "log").exists()
