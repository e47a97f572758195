"""Every event reaches every handler, in order; what a handler answers decides what comes next."""
import signal
import subprocess

import pytest

import plugins
import pm
import procfs

RTMIN = int(signal.SIGRTMIN)


def storm(panicmon, pid, count, number=RTMIN, first=0):
    sent = panicmon.spawn([pm.tool("sigqueue_storm"), pid, count, number, first])
    assert sent.wait(pm.DEADLINE) == 0


def assert_whole(events):
    """No gap and no reordering; an event that stands twice is so marked, and follows itself."""
    last = 0
    for event in events:
        if event["seq"] == last:
            assert event["attempt"] > 1
        else:
            assert event["seq"] == last + 1
        last = event["seq"]
    assert events[0]["event"] == "process.started"
    assert events[-1]["event"] in ("process.exited", "process.failed")


def test_a_second_section_with_the_same_plugin(panicmon, tmp_path):
    config = panicmon.config(panicmon.log_section("log", tmp_path / "one") +
                             panicmon.log_section("second", tmp_path / "two"))
    run = panicmon.start(["sleep", "1000"], config=config)
    run.command()
    run.send(signal.SIGTERM)
    run.wait()
    one, two = pm.read_events(tmp_path / "one"), pm.read_events(tmp_path / "two")
    assert pm.names(one) == ["process.started", "signal.received", "signal.passed", "process.exited"]
    assert one == two


def test_ten_thousand_signals_to_three_handlers(panicmon, tmp_path):
    count = 10_000
    logs = [tmp_path / f"log{i}" for i in range(3)]
    config = panicmon.config("".join(panicmon.log_section(log.name, log) for log in logs))
    taken = tmp_path / "taken"
    run = panicmon.start([pm.tool("sigcount"), "-n", count, taken], config=config)
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, count)
    assert run.wait().status == 0
    lines = taken.read_text(encoding="utf-8").splitlines()
    assert lines[:-1] == [f"{RTMIN} {value}" for value in range(count)]
    for log in logs:
        events = pm.read_events(log)
        assert [event["seq"] for event in events] == list(range(1, 2 * count + 3))
        for name in ("signal.received", "signal.passed"):
            values = [event["value"] for event in events if event["event"] == name]
            assert values == list(range(count)), f"{name} in {log}"


def test_order_of_the_events_of_a_signal(panicmon, tmp_path):
    run = panicmon.start([pm.tool("sigcount"), "-n", 2, tmp_path / "taken"])
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, 2, first=5)
    done = run.wait()
    assert [(event["event"], event.get("value")) for event in done.events] == [
        ("process.started", None), ("signal.received", 5), ("signal.passed", 5), ("signal.received", 6),
        ("signal.passed", 6), ("process.exited", None)]
    assert_whole(done.events)


def test_held_events_arrive_at_the_flush(panicmon, tmp_path):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("held", "held", path=notes))
    run = panicmon.start([pm.tool("sigcount"), "-n", 10, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    storm(panicmon, run.pid, 10)
    assert run.wait().status == 0
    assert plugins.seqs(notes) == list(range(1, 23))
    assert plugins.notes(notes)[-1] == (22, 3, 1)  # process.exited


def test_held_events_survive_a_host_that_is_killed(panicmon, tmp_path):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("held", "held", path=notes))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    host = run.host("held")
    procfs_stop(host)
    storm(panicmon, run.pid, 100)
    run.popen.send_signal(signal.SIGTERM)
    subprocess.run(["kill", "-KILL", str(host)], check=True)
    assert run.wait().status == 0
    seen = plugins.seqs(notes)
    assert sorted(set(seen)) == list(range(1, 205))
    assert seen == sorted(seen)


def procfs_stop(pid):
    subprocess.run(["kill", "-STOP", str(pid)], check=True)
    pm.wait_until(lambda: procfs.state(pid) == "T", what="the host to stop")


def test_poison_after_held_events_is_set_aside(panicmon, tmp_path):
    """A batch in hand, and behind it an event that kills the handler each time: that one event is
    given up, and the batch and what follows arrive."""
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("held", "held", path=notes, crash=12) +
                             "[panicmon]\ndrain_timeout = 60s\n")
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    procfs_stop(run.host("held"))
    storm(panicmon, run.pid, 10)
    run.send(signal.SIGTERM)
    pm.wait_until(lambda: "end" in (tmp_path / "taken").read_text(encoding="utf-8"), what="the command to end")
    subprocess.run(["kill", "-CONT", str(run.host("held"))], check=True)
    done = run.wait()
    assert done.status == 0
    assert set(range(1, 25)) - set(plugins.seqs(notes)) == {12}
    assert "event 12 is given up: the handler died of it three times" in done.stderr


@pytest.mark.parametrize("times", [1, 2])
def test_an_event_that_crashes_the_handler_comes_again(panicmon, tmp_path, times):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("crash", "hostile", how="crash", seq=1, times=times, path=notes) +
                             panicmon.log_section("log", tmp_path / "log"))
    done = panicmon.run(["sh", "-c", "exit 3"], config=config)
    assert done.status == 3
    events = [note for note in plugins.notes(notes) if isinstance(note, tuple)]
    assert events == [(1, 1, attempt) for attempt in range(1, times + 2)] + [(2, 3, 1)]
    assert done.stderr.count("handler 'crash': its host was killed by SIGSEGV; starting it again") == times
    assert pm.names(pm.read_events(tmp_path / "log")) == ["process.started", "process.exited"]


@pytest.mark.parametrize("how", ["crash", "abort", "exit", "_exit", pytest.param("pthread_exit", marks=pytest.mark.skipif(
    pm.is_sanitized(), reason="without a stack all on the heap looks like a leak"))])
def test_poison(panicmon, tmp_path, how):
    """An event that kills the handler three times is set aside; the next ones arrive."""
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("poison", "hostile", how=how, seq=1, path=notes))
    done = panicmon.run(["sh", "-c", "exit 3"], config=config)
    assert done.status == 3
    events = [note for note in plugins.notes(notes) if isinstance(note, tuple)]
    assert events == [(1, 1, 1), (1, 1, 2), (1, 1, 3), (2, 3, 1)]
    assert "event 1 is given up: the handler died of it three times" in done.stderr
    assert plugins.missed(done.stderr, "poison") == (0, 1)


@pytest.mark.parametrize("result", [-1, 5, 99, 2**31 - 1])
def test_nonsense_as_a_result(panicmon, tmp_path, result):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("bad", "hostile", result=result, path=notes))
    done = panicmon.run(["true"], config=config)
    assert done.status == 0
    assert plugins.seqs(notes) == [1, 2]
    assert "event 1 is given up: the handler returned no result of panicmon/handler.h" in done.stderr
    assert plugins.missed(done.stderr, "bad") == (0, 2)


def test_retry_comes_again(panicmon, tmp_path):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("retry", "hostile", result=2, seq=1, times=2, path=notes))
    done = panicmon.run(["true"], config=config)
    assert (done.status, done.stderr) == (0, "")
    assert plugins.notes(notes)[1:-1] == [(1, 1, 1), (1, 1, 2), (1, 1, 3), (2, 3, 1)]


def test_drop_is_counted(panicmon, tmp_path):
    config = panicmon.config(plugins.section("drop", "hostile", result=3, path=tmp_path / "notes"))
    done = panicmon.run(["true"], config=config)
    assert done.status == 0
    assert plugins.missed(done.stderr, "drop") == (0, 2)
    assert all(line.startswith("panicmon: handler 'drop' has missed events: ") for line in done.stderr.splitlines())


def test_dead_gets_no_more(panicmon, tmp_path):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("dead", "hostile", result=4, path=notes) +
                             panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start(["sleep", "1000"], config=config)
    pm.wait_until(lambda: "going on without it" in run.stderr, what="the message")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert plugins.notes(notes) == ["open", (1, 1, 1), "close"]
    assert "handler 'dead' has ended itself" in done.stderr
    assert len(pm.read_events(tmp_path / "log")) == 4


def test_open_that_asks_to_try_again(panicmon, tmp_path):
    """The command is not held back, and all its events arrive once it is open."""
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("retry", "hostile", where="open", result=2, times=3, path=notes))
    run = panicmon.start(["sleep", "1000"], config=config)
    run.command()
    pm.wait_until(lambda: plugins.seqs(notes), what="the first event")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.stderr == ""
    assert plugins.notes(notes) == ["open"] * 4 + [(1, 1, 1), (2, 4, 1), (3, 5, 1), (4, 3, 1), "close"]


def test_open_that_never_works(panicmon, tmp_path):
    config = panicmon.config(plugins.section("retry", "hostile", where="open", result=2) +
                             panicmon.log_section("log", tmp_path / "log") + "[panicmon]\ndrain_timeout = 3s\n")
    done = panicmon.run(["sh", "-c", "exit 3"], config=config)
    assert done.status == 3
    assert "handler 'retry': 2 of 2 events were not delivered" in done.stderr
    assert len(pm.read_events(tmp_path / "log")) == 2


def test_events_from_two_runs_in_one_file(panicmon, tmp_path):
    """Each line is whole, and each run has its own id."""
    log = tmp_path / "log"
    config = panicmon.config(panicmon.log_section("log", log))
    runs = [panicmon.start(["sh", "-c", "exit 0"], config=config) for _ in range(4)]
    for run in runs:
        assert run.wait().status == 0
    events = pm.read_events(log)
    assert len(events) == 8
    assert len({event["run"] for event in events}) == 4
