"""Handlers that take their time: alive, retry_in, ticks, batches; and what others hear of losses."""
import os
import signal
import time

import plugins
import pm
import procfs
from test_delivery import storm


def start(panicmon, tmp_path, more="", drain="2s", **keys):
    """A patient handler under a command that takes signals."""
    config = panicmon.config(f"[panicmon]\ndrain_timeout = {drain}\n" +
                             plugins.section("patient", "patient", path=tmp_path / "notes", **keys) + more)
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    return run


def end(run):
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    return done


def events(tmp_path):
    return [note for note in plugins.notes(tmp_path / "notes") if isinstance(note, tuple)]


# ---- alive ----

def test_a_long_call_that_says_that_it_is_alive(panicmon, tmp_path):
    run = start(panicmon, tmp_path, drain="30s", slow="4s", alive="yes", timeout="1s", events="process.*")
    pm.wait_until(lambda: events(tmp_path), what="the first event")
    done = end(run)
    assert done.stderr == ""
    assert events(tmp_path) == [(1, 1, 1), (4, 3, 1)]


def test_a_long_call_that_does_not(panicmon, tmp_path):
    run = start(panicmon, tmp_path, slow="2s", alive="no", timeout="200ms")
    pm.wait_until(lambda: "event 1 is given up" in run.stderr, what="the first event to be given up")
    run.kill()
    assert run.stderr.count("handler 'patient' has not returned for 200 ms") >= 3
    assert events(tmp_path)[:3] == [(1, 1, 1), (1, 1, 2), (1, 1, 3)]


def test_a_call_during_which_all_are_frozen(panicmon, tmp_path):
    """As `docker pause` does it: time goes by for the clock, not for the call."""
    run = start(panicmon, tmp_path, drain="30s", slow="4s", timeout="8s", events="process.started")
    pm.wait_until(lambda: events(tmp_path), what="the call")
    host, begun = run.host("patient"), time.monotonic()
    pm.wait_until(lambda: time.monotonic() - begun >= 3, what="a look at it")
    for pid in (host, run.pid):
        os.kill(pid, signal.SIGSTOP)
    pm.wait_until(lambda: time.monotonic() - begun >= 12, what="its time limit")
    os.kill(run.pid, signal.SIGCONT)
    pm.wait_until(lambda: procfs.state(run.pid) == "S", what="panicmon to have looked")
    os.kill(host, signal.SIGCONT)
    assert end(run).stderr == ""
    assert events(tmp_path) == [(1, 1, 1)]


def test_one_that_does_not_wake_up(panicmon, tmp_path):
    """Stopped from outside while it sleeps: what comes then is for the next host."""
    run = start(panicmon, tmp_path, drain="30s", timeout="1s")
    pm.wait_until(lambda: events(tmp_path) == [(1, 1, 1)], what="the first event")
    host = run.host("patient")
    pm.wait_until(lambda: procfs.state(host) == "S", what="the host to sleep")
    os.kill(host, signal.SIGSTOP)
    storm(panicmon, run.pid, 1)
    run.host("patient", other_than=host)
    done = end(run)
    assert "handler 'patient' has not woken up for 1000 ms" in done.stderr
    assert "not delivered" not in done.stderr
    assert [seq for seq, _, _ in events(tmp_path)] == [1, 2, 3, 4, 5, 6]


# ---- tick ----

def test_ticks(panicmon, tmp_path):
    """While nothing happens, and between events."""
    run = start(panicmon, tmp_path, tick="20ms")
    pm.wait_until(lambda: plugins.notes(tmp_path / "notes").count("tick") >= 3, what="ticks")
    end(run)
    assert events(tmp_path) == [(1, 1, 1), (2, 4, 1), (3, 5, 1), (4, 3, 1)]


def test_ticks_while_an_event_waits(panicmon, tmp_path):
    run = start(panicmon, tmp_path, tick="20ms", seq=1, retries=1, retry_in="60s")
    pm.wait_until(lambda: plugins.notes(tmp_path / "notes").count("tick") >= 3, what="ticks")
    assert events(tmp_path) == [(1, 1, 1)]
    end(run)  # it does not wait a minute
    assert events(tmp_path) == [(1, 1, 1), (1, 1, 2), (2, 4, 1), (3, 5, 1), (4, 3, 1)]


def test_a_tick_that_says_dead(panicmon, tmp_path):
    run = start(panicmon, tmp_path, tick="500ms", ticks=2)
    pm.wait_until(lambda: "going on without it" in run.stderr, what="the message")
    done = end(run)
    assert "panicmon: handler 'patient' has ended itself\n" in done.stderr
    assert "panicmon: handler 'patient': 3 of 4 events were not delivered\n" in done.stderr
    notes = plugins.notes(tmp_path / "notes")
    assert (notes.count("tick"), notes[-2:]) == (2, ["tick", "close"])


def test_one_that_is_dead_and_hangs_as_it_is_closed(panicmon, tmp_path):
    """Its time limit holds there, too, and it is not started again."""
    run = start(panicmon, tmp_path, tick="20ms", ticks=1, slow_close="60s", timeout="200ms", drain="60s")
    pm.wait_until(lambda: "going on without it" in run.stderr, what="the message")
    done = end(run)
    assert "panicmon: handler 'patient' has not returned for 200 ms\n" in done.stderr
    assert plugins.notes(tmp_path / "notes")[-2:] == ["tick", "close"]


def test_no_tick_before_it_is_open(panicmon, tmp_path):
    run = start(panicmon, tmp_path, tick="20ms", open_retries=2)
    pm.wait_until(lambda: "tick" in plugins.notes(tmp_path / "notes"), what="a tick")
    end(run)
    assert plugins.notes(tmp_path / "notes")[0] == "open"


# ---- retry_in ----

def test_retry_in_is_longer(panicmon, tmp_path):
    begun = time.monotonic()
    run = start(panicmon, tmp_path, seq=1, retries=2, retry_in="400ms")
    pm.wait_until(lambda: len(events(tmp_path)) == 3, what="the third attempt")
    assert time.monotonic() - begun >= 0.8, "by itself it is 300 ms"
    end(run)


def test_retry_in_is_shorter(panicmon, tmp_path):
    """By itself the 200th attempt comes after more than an hour."""
    run = start(panicmon, tmp_path, seq=1, retries=200, retry_in="1ms")
    pm.wait_until(lambda: (1, 1, 201) in events(tmp_path), what="the last attempt")
    done = end(run)
    assert done.stderr == ""
    assert plugins.seqs(tmp_path / "notes") == [1] * 201 + [2, 3, 4]


# ---- batches ----

def test_a_batch_that_is_not_taken_yet(panicmon, tmp_path):
    """Meanwhile events come; and all of them count as delivered at the flush that is DONE."""
    run = start(panicmon, tmp_path, hold="yes", flush_retries=2, retry_in="2s")
    pm.wait_until(lambda: "flush 1 2000" in plugins.notes(tmp_path / "notes"), what="the first flush")
    storm(panicmon, run.pid, 3)
    pm.wait_until(lambda: plugins.notes(tmp_path / "notes").count("flush 1 2000") == 3, what="the third flush")
    assert events(tmp_path)[:1] == [(1, 1, 1)]
    notes = plugins.notes(tmp_path / "notes")
    assert notes.index((7, 5, 1)) < len(notes) - 1 - notes[::-1].index("flush 1 2000")
    done = end(run)
    assert done.stderr == ""
    assert plugins.seqs(tmp_path / "notes") == list(range(1, 11))
    # The last event may have gone with a batch of its own, before the end of the run was seen.
    assert plugins.notes(tmp_path / "notes")[-2:] in (["flush 2 2000", "close"], ["flush 1 2000", "close"])


def test_a_batch_that_is_never_taken(panicmon, tmp_path):
    """The deadline of the drain ends it, and nothing of it counts as delivered."""
    run = start(panicmon, tmp_path, hold="yes", flush_retries=1000000, retry_in="50ms")
    pm.wait_until(lambda: events(tmp_path), what="the first event")
    done = end(run)
    assert 2 <= done.seconds < 15
    assert "handler 'patient' has not ended after 2000 ms; its host is killed" in done.stderr
    assert "handler 'patient': 4 of 4 events were not delivered" in done.stderr


def test_a_slow_flush_that_is_killed(panicmon, tmp_path):
    """What is held comes again, three times, and is then given up, and that is told."""
    run = start(panicmon, tmp_path, hold="yes", slow="30s", alive="no", seq=9, timeout="200ms")
    pm.wait_until(lambda: "is given up" in run.stderr, what="the event to be given up")
    run.kill()
    assert "has not returned for 200 ms" in run.stderr


def test_each_row_of_batches_that_is_given_up_is_told(panicmon, tmp_path):
    """Once, as the one before was delivered."""
    run = start(panicmon, tmp_path, hold="yes", drops="yes")
    flushes = 0
    while run.stderr.count("is given up: flush() gave its batch up") < 2:
        before, flushes = flushes, plugins.notes(tmp_path / "notes").count("flush 1 2000")
        if flushes > before:
            assert flushes < 20
            storm(panicmon, run.pid, 1)
        time.sleep(0.005)
    end(run)


def test_the_budget_of_a_flush(panicmon, tmp_path):
    """It is no longer than its host would live."""
    run = start(panicmon, tmp_path, hold="yes", timeout="1500ms")
    pm.wait_until(lambda: "flush 1 1500" in plugins.notes(tmp_path / "notes"), what="the flush")
    end(run)


# ---- losses ----

def losses(path):
    return [note.split()[1:] for note in plugins.notes(path) if isinstance(note, str) and note.startswith("lost ")]


def test_the_others_hear_of_losses(panicmon, tmp_path):
    """Not the handler itself; and in a storm not more than one a second."""
    run = start(panicmon, tmp_path, plugins.section("bad", "hostile", result=3, path=tmp_path / "bad"))
    pm.wait_until(lambda: losses(tmp_path / "notes"), what="the first loss")
    assert losses(tmp_path / "notes") == [["bad", "0", "1"]]
    begun = time.monotonic()
    storm(panicmon, run.pid, 500)
    pm.wait_until(lambda: sum(int(dropped) for _, _, dropped in losses(tmp_path / "notes")) == 1001, what="all losses")
    said = len(losses(tmp_path / "notes"))
    assert said <= 2 + (time.monotonic() - begun)
    done = end(run)
    assert plugins.missed(done.stderr, "bad") == (0, 1004)
    # Of its own losses it hears nothing.
    assert not [note for note in plugins.notes(tmp_path / "bad") if isinstance(note, tuple) and note[1] == 7]
    assert {name for name, _, _ in losses(tmp_path / "notes")} == {"bad"}


def test_two_that_lose_all_do_not_tell_each_other_for_ever(panicmon, tmp_path):
    """What tells of losses, and is lost, is no loss to tell of."""
    run = start(panicmon, tmp_path, panicmon.log_section("one", "/dev/full") + panicmon.log_section("two", "/dev/full"))
    for round_ in (1, 2, 3):
        pm.wait_until(lambda: len(losses(tmp_path / "notes")) >= 2 * round_, what=f"the losses of round {round_}")
        storm(panicmon, run.pid, 1)
    done = end(run)
    assert plugins.missed(done.stderr, "one") == plugins.missed(done.stderr, "two") == (0, 10)
    assert len(losses(tmp_path / "notes")) <= 8


def test_a_counter_that_was_scribbled_on_is_not_told_for_ever(panicmon, tmp_path):
    run = start(panicmon, tmp_path, plugins.section("bad", "hostile", how="scribble-ones", seq=1, times=1))
    for round_ in (1, 2):
        storm(panicmon, run.pid, 5)
        pm.wait_until(lambda: len([note for note in events(tmp_path) if note[1] < 7]) == 1 + 10 * round_, what="the events")
    done = end(run)
    lost, dropped = plugins.missed(done.stderr, "bad")
    assert 0 < lost <= 24 and 0 < dropped <= 24
