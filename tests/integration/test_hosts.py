"""Handlers that die, hang or do worse: the command and the other handlers do not notice."""
import os
import random
import shutil
import signal
import subprocess
import time

import pytest

import plugins
import pm
import procfs
from test_delivery import assert_whole, storm


def signal_host(pid, number):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def assert_all_values(events, count):
    """At least once: those that stand twice are marked as attempts."""
    for name in ("signal.received", "signal.passed"):
        first = [event["value"] for event in events if event["event"] == name and "attempt" not in event]
        every = {event["value"] for event in events if event["event"] == name}
        assert every == set(range(count)) and first == sorted(set(first))


# ---- killed ----

def test_a_host_that_is_killed_at_random_moments_misses_nothing(panicmon, tmp_path):
    """Each time that it has come further. A kill between the write and the return of the call makes
    an event stand twice; the second time with an attempt above 1."""
    count, kills = 6000, 6
    dice = random.Random(os.environ.get("PM_SEED", "panicmon"))
    config = panicmon.config(panicmon.log_section("log", tmp_path / "log") +
                             panicmon.log_section("other", tmp_path / "other"))
    run = panicmon.start([pm.tool("sigcount"), "-n", count, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    host, sent = None, 0
    for _ in range(kills):
        size = (tmp_path / "log").stat().st_size
        storm(panicmon, run.pid, count // kills, first=sent)
        sent += count // kills
        pm.wait_until(lambda: (tmp_path / "log").stat().st_size > size, what="the next event")
        host = run.host(other_than=host)
        end = time.monotonic() + dice.random() * 0.02
        while time.monotonic() < end:
            pass
        if sent == count:
            break
        signal_host(host, signal.SIGKILL)
    done = run.wait()
    assert done.status == 0
    assert done.stderr.count("handler 'log': its host was killed by SIGKILL; starting it again") == kills - 1
    for log, torn in (("log", kills - 1), ("other", 0)):
        events = pm.read_events(tmp_path / log, torn)
        assert_whole(events)
        assert_all_values(events, count)
    assert not any("attempt" in event for event in pm.read_events(tmp_path / "other"))


def test_a_line_that_was_cut_spoils_no_other(panicmon, tmp_path):
    """What a host leaves that is killed in the middle of a write."""
    (tmp_path / "log").write_text('{"event":"signal.pas', encoding="utf-8")
    config = panicmon.config(panicmon.log_section("log", tmp_path / "log"))
    assert panicmon.run(["true"], config=config).status == 0
    assert pm.names(pm.read_events(tmp_path / "log", torn=1)) == ["process.started", "process.exited"]


def is_ready(host):
    """Its priority is the last that it sets."""
    try:
        return procfs.state(host) == "S" and os.getpriority(os.PRIO_PROCESS, host) > os.getpriority(os.PRIO_PROCESS, 0)
    except ProcessLookupError:
        return False


@pytest.mark.parametrize("required", ["yes", "no"])
def test_a_host_that_is_killed_before_the_first_event(panicmon, tmp_path, required):
    """Ready, while another handler still holds the start: it could serve, so it is started again."""
    config = panicmon.config(panicmon.log_section("log", tmp_path / "log", required=required) +
                             plugins.section("hang", "hang_constructor") +
                             "[panicmon]\nstart_timeout = 3s\ndrain_timeout = 5s\n")
    run = panicmon.start(["sh", "-c", "exit 3"], config=config)
    host = run.host("log")
    pm.wait_until(lambda: is_ready(host), what="the host to be ready")
    signal_host(host, signal.SIGKILL)
    done = run.wait()
    assert done.status == 3, done
    assert_whole(pm.read_events(tmp_path / "log"))


def test_a_host_that_is_killed_while_the_command_is_idle(panicmon, tmp_path):
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"])
    run.wait_for_stdout("ready")
    run.wait_for_event("process.started")
    first = run.host()
    signal_host(first, signal.SIGKILL)
    second = run.host(other_than=first)
    assert second != first
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]
    assert_whole(done.events)


def test_a_host_that_is_killed_while_it_drains(panicmon, tmp_path):
    config = panicmon.config(panicmon.log_section("log", tmp_path / "log") + "[panicmon]\ndrain_timeout = 30s\n")
    run = panicmon.start([pm.tool("sigcount"), "-n", 500, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    host = run.host()
    os.kill(host, signal.SIGSTOP)
    storm(panicmon, run.pid, 500)
    pm.wait_until(lambda: "end" in (tmp_path / "taken").read_text(encoding="utf-8"), what="the command to end")
    pm.wait_until(run.is_draining, what="the drain")
    os.kill(host, signal.SIGKILL)
    done = run.wait()
    assert done.status == 0
    events = pm.read_events(tmp_path / "log")
    assert len({event["seq"] for event in events}) == 1002
    assert_whole(events)


def test_a_host_that_was_killed_before_and_again_while_it_drains(panicmon, tmp_path):
    """That it fell before, and went on each time, must not keep it from what is left."""
    config = panicmon.config(panicmon.log_section("log", tmp_path / "log") + "[panicmon]\ndrain_timeout = 5s\n")
    run = panicmon.start([pm.tool("sigcount"), "-n", 6, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    host = None
    for i in range(5):
        host = run.host(other_than=host)
        storm(panicmon, run.pid, 1, first=i)
        pm.wait_until(lambda: pm.names(pm.read_events(tmp_path / "log")).count("signal.passed") == i + 1,
                      what="the next event")
        signal_host(host, signal.SIGKILL)
    host = run.host(other_than=host)
    os.kill(host, signal.SIGSTOP)
    storm(panicmon, run.pid, 1, first=5)
    pm.wait_until(run.is_draining, what="the drain")
    os.kill(host, signal.SIGKILL)
    done = run.wait()
    assert done.status == 0
    assert_whole(pm.read_events(tmp_path / "log"))
    assert "not delivered" not in done.stderr


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_host_that_has_delivered_all_may_take_the_time_of_the_drain_to_end(panicmon):
    """As on a busy machine: the kernel takes long for its end."""
    run = panicmon.start(["sleep", "1000"], options=["panicmon.drain_timeout=60s"])
    run.wait_for_event("process.started")
    host = run.host()
    strace = panicmon.spawn(["strace", "-e", "inject=exit_group:delay_enter=2500000", "-p", host],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    pm.wait_until(lambda: procfs.status(host).get("TracerPid") == str(strace.pid) or strace.poll() is not None,
                  what="strace")
    if strace.poll() is not None:
        pytest.skip("strace may not attach here")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert (done.status, done.stderr) == (-signal.SIGTERM, "")
    assert 2.4 < done.seconds < 60
    assert done.names[-1] == "process.exited"


def test_all_hosts_killed_at_once(panicmon, tmp_path):
    logs = [tmp_path / f"log{i}" for i in range(4)]
    config = panicmon.config("".join(panicmon.log_section(log.name, log) for log in logs))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    hosts = {log.name: run.host(log.name) for log in logs}
    for pid in hosts.values():
        signal_host(pid, signal.SIGKILL)
    storm(panicmon, run.pid, 50)
    for name, pid in hosts.items():
        run.host(name, other_than=pid)
    run.send(signal.SIGTERM)
    assert run.wait().status == 0
    for log in logs:
        assert_whole(pm.read_events(log))
        assert len({event["seq"] for event in pm.read_events(log)}) == 104


# ---- hanging ----

@pytest.mark.parametrize("where, how", [
    ("constructor", "hang"), *((where, how) for where in ("check", "open", "event", "flush", "close")
                               for how in ("hang", "hang-blocked", "spin"))])
def test_a_handler_that_blocks_for_ever(panicmon, tmp_path, where, how):
    """Neither start, signals nor exit wait for it longer than start_timeout and drain_timeout."""
    if where == "constructor":
        bad = plugins.section("bad", "hang_constructor")
    else:
        bad = plugins.section("bad", "hostile", where=where, how=how, path=tmp_path / "notes")
    config = panicmon.config("[panicmon]\nstart_timeout = 300ms\ndrain_timeout = 2s\n" + bad +
                             panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-n", 20, "-x", 7, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, 20)
    done = run.wait()
    assert done.status == 7
    events = pm.read_events(tmp_path / "log")
    assert [event["value"] for event in events if event["event"] == "signal.passed"] == list(range(20))
    assert_whole(events)
    assert "handler 'bad'" in done.stderr, "nothing is said of it"


def test_a_call_that_takes_too_long_is_ended_and_made_again(panicmon, tmp_path):
    """`timeout`, and three times is enough."""
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("slow", "hostile", how="hang", seq=1, path=notes, timeout="1s"))
    run = panicmon.start(["sleep", "1000"], config=config)
    pm.wait_until(lambda: "event 1 is given up" in run.stderr, what="the event to be given up")
    run.send(signal.SIGTERM)
    done = run.wait()
    events = [note for note in plugins.notes(notes) if isinstance(note, tuple)]
    assert events == [(1, 1, 1), (1, 1, 2), (1, 1, 3), (2, 4, 1), (3, 5, 1), (4, 3, 1)]
    assert done.stderr.count("panicmon: handler 'slow' has not returned for 1000 ms") == 3


def test_a_call_that_takes_too_long_is_ended_soon(panicmon, tmp_path):
    """Within a quarter more than `timeout`, wherever in the time between two looks it begins; never before."""
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("slow", "hostile", how="hang", seq=4, path=notes, timeout="4s"))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, 1)
    pm.wait_until(lambda: 3 in plugins.seqs(notes), what="the first signal")
    before = time.monotonic()
    storm(panicmon, run.pid, 1)
    pm.wait_until(lambda: 4 in plugins.seqs(notes), what="the call that hangs")
    begun = time.monotonic()
    pm.wait_until(lambda: "has not returned for 4000 ms" in run.stderr, what="its end")
    ended = time.monotonic()
    run.kill()
    assert ended - before >= 4
    assert ended - begun < 7, "a look at the end of each 4 s would find it after 8"


def test_one_that_dies_of_each_event_is_waited_for_longer_and_longer(panicmon, tmp_path):
    """Also if the next host of it delivers that event: 0.1, 0.2, 0.4, 0.8 s; but not at the end."""
    begun = time.monotonic()
    notes = tmp_path / "notes"
    config = panicmon.config("[panicmon]\ndrain_timeout = 60s\n" +
                             plugins.section("bad", "hostile", how="crash", times=1, path=notes))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, 2)
    pm.wait_until(lambda: 5 in plugins.seqs(notes), what="the first try of the last event")
    assert time.monotonic() - begun >= 1.5
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.seconds < 60
    events = [note[::2] for note in plugins.notes(notes) if isinstance(note, tuple)]
    assert events == [(seq, attempt) for seq in range(1, 9) for attempt in (1, 2)]
    assert "not delivered" not in done.stderr


def test_all_handlers_hang_when_the_command_ends(panicmon, tmp_path):
    text = "".join(plugins.section(f"bad{i}", "hostile", how="hang") for i in range(4))
    config = panicmon.config("[panicmon]\ndrain_timeout = 300ms\n" + text)
    done = panicmon.run(["sh", "-c", "exit 9"], config=config)
    assert done.status == 9
    assert done.stderr.count("2 of 2 events were not delivered") == 4


# ---- worse ----

@pytest.mark.parametrize("where, how", [
    (where, how) for where in ("open", "event") for how in ("close-fds", "print", "reap", "disturb", "daemon")
    if (where, how) != ("open", "close-fds")])
def test_a_handler_with_bad_manners(panicmon, tmp_path, where, how):
    config = panicmon.config("[panicmon]\ndrain_timeout = 60s\n" +
                             plugins.section("bad", "hostile", where=where, how=how, seq=1, times=1,
                                             path=tmp_path / "notes") +
                             panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), "-x", 7, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    inherited = procfs.descriptors(run.command())
    assert set(inherited) == {0, 1, 2, 3}  # and sigcount's own file
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 7
    assert len(pm.read_events(tmp_path / "log")) == 4
    if how == "daemon":  # it is out of everybody's reach
        for pid in procfs.marked("PM_TEST_ID", panicmon.environment["PM_TEST_ID"]):
            os.kill(pid, signal.SIGKILL)
    else:
        assert sorted(set(plugins.seqs(tmp_path / "notes"))) == [1, 2, 3, 4]


def test_no_zombie_and_no_descriptor_is_left_by_a_host(panicmon, tmp_path):
    config = panicmon.config(panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    host = run.host()
    run.guard()
    before = procfs.descriptors(run.pid)
    for _ in range(3):
        os.kill(host, signal.SIGKILL)
        host = run.host(other_than=host)
    # The new one has been forked, but its other end may still be open here.
    pm.wait_until(lambda: [procfs.state(pid) for pid in procfs.children(run.pid)].count("Z") == 0 and
                  len(procfs.descriptors(run.pid)) == len(before), what=lambda: f"{procfs.descriptors(run.pid)}, not {before}")
    run.send(signal.SIGTERM)
    assert run.wait().status == 0


def test_hosts_run_at_a_lower_priority_in_groups_of_their_own(panicmon):
    run = panicmon.start(["sleep", "1000"])
    command = run.command()
    run.wait_for_event("process.started")
    host = run.host()
    assert os.getpriority(os.PRIO_PROCESS, command) == os.getpriority(os.PRIO_PROCESS, run.pid)
    assert os.getpriority(os.PRIO_PROCESS, host) == min(19, os.getpriority(os.PRIO_PROCESS, run.pid) + 10)
    assert len({procfs.process_group(pid) for pid in (host, command, run.pid)}) == 3
    run.send(signal.SIGTERM)
    run.wait()
