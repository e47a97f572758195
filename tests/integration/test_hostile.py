"""Whatever a handler does, the command does not notice, the others get every event, nothing is left
behind, and panicmon says what happened."""
import ctypes
import os
import re
import signal
import time

import pytest

import plugins
import pm
import procfs
from test_delivery import storm

SIGNALS = 3
STARTED = "its host {}; starting it again"
KILLED = STARTED.format("was killed by SIG{}")
LEFT = STARTED.format("left with exit status {}")
HANGS = "handler 'bad' has not returned for 200 ms"
NOT_READY = "handler 'bad' is not ready after 300 ms; the command is started without waiting for it any longer"
NOT_ENDED = "handler 'bad' has not ended after 3000 ms; its host is killed"
LOADED = "while it was being loaded or opened; mend or remove the handler, or set required = no"
UNSAID = r"\[handler:bad\] the handler failed without saying why"
SHUT = r"^panicmon\[bad\]: descriptor 3 of its host was closed or shut down by the handler"
WITHOUT = "handler 'bad': going on without it"

PR_SET_TIMERSLACK = 29

HANGING = {"hang", "hang-blocked", "spin", "stop", "crash-on"}

# where, how, what else is in its section, and what panicmon says (a pattern; None: nothing at all).
CASES = [
    ("constructor", "crash", {}, LOADED),
    ("constructor", "exit", {}, LOADED),
    ("constructor", "hang", {"timeout": "400ms"}, NOT_READY),
    ("constructor", "print", {}, r"^panicmon\[bad\]: from a constructor$"),
    *((where, "return", {"result": result}, UNSAID) for where in ("check", "open") for result in (-1, 99)),
    *((where, how, {}, LOADED) for where in ("check", "open") for how in ("crash", "exit", "abort")),
    *((where, how, {"timeout": "400ms"}, NOT_READY) for where in ("check", "open")
      for how in ("hang", "hang-blocked", "stop")),
    ("open", "close-fds", {}, LEFT.format(1)),
    ("event", "crash", {}, KILLED.format("SEGV")),
    ("event", "crash", {"times": 1000}, "event 1 is given up: the handler died of it three times"),
    *(("event", how, {}, HANGS) for how in ("hang", "hang-blocked", "spin", "stop", "crash-on")),
    ("event", "hang", {"times": 1000}, "event 1 is given up: the handler died of it three times"),
    *(("event", "return", {"result": result, "times": 1000},
       "event 1 is given up: the handler returned no result of panicmon/handler.h") for result in (-7, 77)),
    ("event", "return", {"result": 3, "times": 1000}, "has missed events: 0 lost, 1 given up"),
    ("event", "return", {"result": 4}, "handler 'bad' has ended itself"),
    ("event", "return", {"result": 1, "times": 1000, "seq": 0}, None),
    ("event", "abort", {}, KILLED.format("ABRT")),
    ("event", "exit", {}, LEFT.format(0)),
    ("event", "_exit", {}, LEFT.format(0)),
    ("event", "pthread_exit", {}, LEFT.format(0)),
    ("event", "longjmp", {}, ""),
    ("event", "stack", {}, KILLED.format("SEGV")),
    ("event", "memory", {"memory_max": "64M", "timeout": "20s"}, KILLED.format("SEGV")),
    ("event", "close-fds", {}, LEFT.format(1)),
    *((where, how, {}, SHUT) for where in ("open", "event") for how in ("shut-socket", "reuse-socket")),
    ("event", "send", {}, None),
    ("event", "connect", {}, LEFT.format(1)),
    ("event", "reopen", {}, "handler 'bad' has closed its channel to panicmon; its host is killed"),
    ("event", "reap", {}, None),
    ("event", "child", {}, None),
    ("event", "daemon", {}, None),
    ("event", "threads", {}, r"^panicmon\[bad\]: a thread$"),
    ("event", "disturb", {}, None),
    ("event", "print", {}, r"^panicmon\[bad\]: \(\d+ more lines are left out\)$"),
    ("event", "log", {}, r"^panicmon\[bad\]: line 0$"),
    ("event", "print-oddly", {}, r"^panicmon\[bad\]: red \?\[31m, bell \?, \?\? and ü$"),
    ("event", "scribble-journal", {}, KILLED.format("SEGV")),
    *(("event", how, {}, None) for how in ("truncate-journal", "truncate-page")),
    ("event", "scribble-ones", {}, ""),
    ("event", "scribble-zeros", {}, ""),
    ("event", "scribble-noise", {}, ""),
    *(("event", how, {}, LEFT.format(0)) for how in ("leave-as-checked", "leave-as-drained")),
    ("event", "kept", {"seq": 0, "times": 1000}, ""),
    ("event", "throw", {}, "event 1 is given up: the handler died of it three times"),
    *(("flush", how, {"times": 1000}, HANGS) for how in ("hang", "hang-blocked")),
    ("flush", "crash", {"times": 1000}, "is given up: the handler died three times as it flushed"),
    ("flush", "return", {"result": 77, "times": 1000}, "is given up: flush.. gave its batch up"),
    *(("tick", how, {"times": 1000}, HANGS) for how in ("hang", "hang-blocked")),
    ("tick", "crash", {"times": 1000}, KILLED.format("SEGV")),
    ("tick", "return", {"result": 4}, "handler 'bad' has ended itself"),
    ("tick", "return", {"result": 77}, None),
    *(("close", how, {"timeout": "30s"}, NOT_ENDED) for how in ("hang", "hang-blocked", "stop")),
    ("close", "crash", {}, "its host was killed by SIGSEGV as it ended; it had delivered all"),
]

# Memory and stack are the sanitizer's; and what pthread_exit() leaves looks like a leak to it.
NOT_SANITIZED = {"pthread_exit", "longjmp", "stack", "memory", "throw", "kept"}


def case_id(case):
    where, how, keys, _ = case
    return "-".join([where, how, *(str(keys[key]) for key in ("result", "times", "seq") if key in keys)])


def section(where, how, tmp_path, **keys):
    keys = {"timeout": "200ms", "required": "no", **keys}
    if where == "constructor":
        return plugins.section("bad", f"{how}_constructor", **keys)
    if how == "throw":
        return plugins.section("bad", "throw", **keys)
    return plugins.section("bad", "hostile",
                           **{"where": where, "how": how, "path": tmp_path / "bad", "seq": 1, "times": 1, **keys})


def kinds(pid):
    """How many descriptors of each kind a process has."""
    count = {}
    for target in procfs.descriptors(pid).values():
        kind = re.sub(r":\[\d+\]$", "", target)
        count[kind] = count.get(kind, 0) + 1
    return count


def is_clean(run):
    """No zombie, and of descriptors: a socket to each host and to the guard, and a pipe from each host."""
    hosts = len(run.hosts())
    found = kinds(run.pid)
    return ("Z" not in [procfs.state(pid) for pid in procfs.children(run.pid)] and
            found["socket"] == hosts + 1 and found["pipe"] == hosts and
            found["anon_inode:[eventpoll]"] == 1 and sum(found.values()) == 2 * hosts + 10)


class Supervised:
    """A command under panicmon, with two handlers that are as they should be, and a bad one."""

    def __init__(self, panicmon, tmp_path, bad, start="300ms", drain="15s"):
        self.folder = tmp_path
        self.run = panicmon.start(
            [pm.tool("sigcount"), "-q", int(signal.SIGTERM), "-x", 7, tmp_path / "taken"],
            config=panicmon.config(f"[panicmon]\nstart_timeout = {start}\ndrain_timeout = {drain}\n" +
                                   panicmon.log_section("log", tmp_path / "log") + bad +
                                   plugins.section("witness", "hostile", path=tmp_path / "witness")))
        self.run.wait_for_stdout("ready")
        self.command = self.run.command()

    def happened(self):
        """The events that the log has, but for those about handlers."""
        return [event for event in pm.read_events(self.folder / "log") if event["event"] != "handler.lost"]

    def end(self):
        """TERM, and what must hold whatever the handlers do."""
        assert procfs.alive(self.command)
        # Of the signals that are pending at once, TERM would be the first that it takes, whatever came first.
        pm.wait_until(lambda: len((self.folder / "taken").read_text(encoding="utf-8").splitlines()) == SIGNALS,
                      what="the command to take the signals")
        self.run.send(signal.SIGTERM)
        done = self.run.wait()
        assert (done.status, done.stdout) == (7, "ready\n")
        taken = (self.folder / "taken").read_text(encoding="utf-8").splitlines()
        assert taken[:-1] == [*(f"{int(signal.SIGRTMIN)} {i}" for i in range(SIGNALS)), f"{int(signal.SIGTERM)} 0"]
        events = self.happened()
        assert pm.names(events) == (["process.started"] + ["signal.received", "signal.passed"] * (SIGNALS + 1) +
                                    ["process.exited"])
        assert {event["pid"] for event in events} == {self.command}
        assert plugins.seqs(self.folder / "witness") == [event["seq"] for event in events]
        return done


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_hostile(panicmon, tmp_path, case):
    where, how, keys, says = case
    if how == "throw" and not plugins.path("throw").exists():
        pytest.skip("there is no C++ compiler")
    if pm.is_sanitized() and how in NOT_SANITIZED:
        pytest.skip("the sanitizer has its own mind of that")
    if says != "" and how not in HANGING:
        keys = {"timeout": "60s", **keys}  # what is slow because the machine is, is not to be killed for it
    supervised = Supervised(panicmon, tmp_path, section(where, how, tmp_path, **keys),
                            start="60s" if says is None else "300ms", drain="3s" if where == "close" or says == NOT_READY else "15s")
    run = supervised.run
    storm(panicmon, run.pid, SIGNALS)
    if says and where != "close":
        pm.wait_until(lambda: re.search(says, run.stderr, re.M), what=lambda: f"{says!r} in {run.stderr}")
    pm.wait_until(lambda: len(supervised.happened()) == 1 + 2 * SIGNALS, what="the events")
    run.guard()
    pm.wait_until(lambda: is_clean(run), what=lambda: f"what is open: {kinds(run.pid)}")
    done = supervised.end()
    if says is None:
        assert done.stderr == ""
    assert re.search(says or "", done.stderr, re.M), done.stderr
    if how not in ("abort", "throw"):  # else the fixture could not do its worst
        assert "SIGABRT" not in done.stderr
    if how == "daemon":  # it is out of everybody's reach
        for pid in procfs.marked("PM_TEST_ID", panicmon.environment["PM_TEST_ID"]):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("how", ["leave-as-checked", "leave-as-drained"])
def test_a_state_that_is_not_true(panicmon, tmp_path, how):
    """Of the last event: what a host says of itself does not make it delivered."""
    supervised = Supervised(panicmon, tmp_path, section("event", how, tmp_path, seq=4 + 2 * SIGNALS))
    storm(panicmon, supervised.run.pid, SIGNALS)
    pm.wait_until(lambda: len(supervised.happened()) == 1 + 2 * SIGNALS, what="the events")
    done = supervised.end()
    assert LEFT.format(0) in done.stderr
    assert plugins.seqs(tmp_path / "bad")[-2:] == [4 + 2 * SIGNALS] * 2


def test_a_channel_that_is_shut_is_told_where_pauses_are_long(panicmon, tmp_path):
    """As on a busy machine: the host makes sure that it is not panicmon that has gone, and still has its say before
    it is taken for one that stays."""
    def make_pauses_long():
        assert ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, ctypes.c_ulong(20_000_000)) == 0
    run = panicmon.start(["sleep", "1000"], preexec_fn=make_pauses_long, config=panicmon.config(
        section("event", "shut-socket", tmp_path, timeout="60s")))
    pm.wait_until(lambda: "starting it again" in run.stderr, what="the end of the host")
    assert re.search(SHUT, run.stderr, re.M) and LEFT.format(1) in run.stderr, run.stderr
    run.send(signal.SIGTERM)
    run.wait()


def test_messages_without_end(panicmon, tmp_path):
    """A host that has something to say all the time takes its own time of the processors, not panicmon's."""
    bad = section("flush", "retry-at-once", tmp_path, result=2, timeout="60s")
    supervised = Supervised(panicmon, tmp_path, bad, drain="3s")
    run = supervised.run
    storm(panicmon, run.pid, SIGNALS)
    host = run.host("bad")
    before, begun = procfs.cpu_seconds(run.pid), time.monotonic()
    # Where others want the processors, a host gets little of them.
    pm.wait_until(lambda: procfs.cpu_seconds(host) > 0.5, deadline=300, what="the host to be busy")
    assert procfs.cpu_seconds(run.pid) - before < 0.2 * (time.monotonic() - begun)
    done = supervised.end()
    assert re.search(NOT_ENDED, done.stderr)


def test_the_same_plugin_under_two_names(panicmon, tmp_path):
    """Two processes, and what one of them does to its memory is not the other's."""
    config = panicmon.config(
        plugins.section("one", "hostile", how="crash", seq=1, times=1, path=tmp_path / "one") +
        plugins.section("two", "held", path=tmp_path / "two") +
        plugins.section("three", "held", path=tmp_path / "three", crash=2) +
        plugins.section("four", "hostile", path=tmp_path / "four"))
    run = panicmon.start(["sleep", "1000"], config=config)
    pm.wait_until(lambda: plugins.seqs(tmp_path / "one") == [1, 1], what="the second attempt")
    assert len(set(run.hosts().values())) == 4
    run.send(signal.SIGTERM)
    run.wait()
    assert plugins.notes(tmp_path / "one") == ["open", (1, 1, 1), "open", (1, 1, 2), (2, 4, 1), (3, 5, 1), (4, 3, 1), "close"]
    assert plugins.notes(tmp_path / "four") == ["open", (1, 1, 1), (2, 4, 1), (3, 5, 1), (4, 3, 1), "close"]
    assert plugins.seqs(tmp_path / "two") == [1, 2, 3, 4]
    assert plugins.seqs(tmp_path / "three") == [1, 3, 4]
