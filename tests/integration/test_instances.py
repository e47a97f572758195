"""[process] instances: several of the command under one panicmon."""
import os
import shutil
import signal

import pytest

import pm
import procfs
from terminals import on_terminal

TERM = int(signal.SIGTERM)


def sigcounts(folder):
    return ["sh", "-c", 'exec "$0" -q 15 "$1.$PANICMON_INSTANCE"', pm.tool("sigcount"), folder / "taken"]


@pytest.fixture
def instances(panicmon, tmp_path):
    """Starts so many sigcounts; each writes to taken.N of its number."""
    def start(count):
        run = panicmon.start(sigcounts(tmp_path), options=[f"process.instances={count}"])
        run.taken = [tmp_path / f"taken.{i + 1}" for i in range(count)]
        pm.wait_until(lambda: all(path.exists() for path in run.taken), what="the commands")
        return run
    return start


def by_instance(events, name):
    """{number of the instance: its events of that name}"""
    found = {}
    for event in events:
        if event["event"] == name:
            found.setdefault(event["instance"], []).append(event)
    return found


def pids(run, count):
    """By their numbers, as the events tell."""
    pm.wait_until(lambda: len(by_instance(run.events, "process.started")) == count, what="the starts")
    started = by_instance(run.events, "process.started")
    return [started[number][0]["pid"] for number in range(1, count + 1)]


@pytest.mark.parametrize("count", [2, 5, 64])
def test_each_has_its_number_its_group_and_its_events(panicmon, count):
    run = panicmon.start(["sleep", "1000"], options=[f"process.instances={count}"])
    commands = run.commands(count)
    assert len(commands) == count
    by_number = pids(run, count)
    assert sorted(by_number) == commands
    for number, pid in enumerate(by_number, 1):
        assert procfs.process_group(pid) == pid and procfs.parent(pid) == run.pid
        assert pid in procfs.marked("PANICMON_INSTANCE", number)
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGTERM
    assert len(done.events) == 4 * count
    for name in ("process.started", "signal.received", "signal.passed", "process.exited"):
        of = by_instance(done.events, name)
        assert {number: [event["pid"] for event in events] for number, events in of.items()} == {
            number: [pid] for number, pid in enumerate(by_number, 1)}


def test_all_are_told_of_before_the_first_can_end(panicmon):
    """Whoever counts them never sees none left too early."""
    for _ in range(10):
        done = panicmon.run(["true"], options=["process.instances=8"])
        assert done.names == ["process.started"] * 8 + ["process.exited"] * 8


def test_one_is_no_instance(panicmon):
    done = panicmon.run(["sh", "-c", 'echo "${PANICMON_INSTANCE-none}"'], options=["process.instances=1"])
    assert done.stdout == "none\n"
    assert not any("instance" in event for event in done.events)


def test_each_gets_every_signal_once_with_its_value(panicmon, instances):
    run = instances(3)
    sent = [number for number in range(1, signal.SIGRTMAX + 1)
            if number not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD, TERM)]
    for number in sent:
        run.send(number)
        for path in run.taken:
            pm.wait_until(lambda: pm.numbers_taken(path)[-1:] == [number], what=f"signal {number}")
    assert panicmon.spawn([pm.tool("sigqueue_storm"), run.pid, 500]).wait(pm.DEADLINE) == 0
    for path in run.taken:
        pm.wait_until(lambda: len(pm.taken(path)) == len(sent) + 500, what="the storm")
        assert pm.taken(path) == [(number, 0) for number in sent] + [(signal.SIGRTMIN, i) for i in range(500)]
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    passed = by_instance(done.events, "signal.passed")
    assert {number: len(events) for number, events in passed.items()} == dict.fromkeys((1, 2, 3), len(sent) + 501)
    assert all(event["target_pid"] == event["pid"] for events in passed.values() for event in events)
    assert set(by_instance(done.events, "process.exited")) == {1, 2, 3}


# Of the one that is to end first, and of the others: its end is over when its number is free again.
FIRST = 'echo $$ >"$0.new"; mv "$0.new" "$0"; '
THEN = 'until [ -s "$0" ] && ! kill -0 "$(cat "$0")" 2>/dev/null; do sleep 0.01; done; '


@pytest.mark.parametrize("first, script, then, status", [
    (2, "exit 0", "exit 0", 0),
    (2, "exit 7", "exit 0", 7),
    (2, "exit 7", "[ $PANICMON_INSTANCE = 3 ] && exit 9; exit 0", 7),
    (3, "kill -USR1 $$", "exit 4", -10),
])
def test_the_status_is_that_of_the_first_that_failed(panicmon, tmp_path, first, script, then, status):
    line = f"if [ $PANICMON_INSTANCE = {first} ]; then {FIRST}{script}; else {THEN}{then}; fi"
    assert panicmon.run(["sh", "-c", line, tmp_path / "pid"], options=["process.instances=3"]).status == status


def test_remap_and_code_apply_to_each(panicmon):
    script = '[ $PANICMON_INSTANCE = 1 ] && exit 3; [ $PANICMON_INSTANCE = 2 ] && kill -TERM $$; sleep 0.2; exit 0'
    done = panicmon.run(["sh", "-c", script], options=["process.instances=3", "process.remap=3:0 143:0"])
    assert done.status == 0
    done = panicmon.run(["sh", "-c", script], options=["process.instances=3", "process.remap=3:0",
                                                       "process.exit_status=code"])
    assert done.status == 143


def test_one_that_is_killed_leaves_the_others_alone(panicmon, instances):
    run = instances(3)
    by_number = pids(run, 3)
    os.kill(by_number[1], signal.SIGKILL)
    exited = run.wait_for_event("process.exited")
    assert (exited["instance"], exited["pid"], exited["signal"]) == (2, by_number[1], "SIGKILL")
    assert procfs.living(by_number) == {by_number[0], by_number[2]}
    run.send(signal.SIGUSR1)
    for path in (run.taken[0], run.taken[2]):
        pm.wait_until(lambda: pm.taken(path) == [(signal.SIGUSR1, 0)], what="the signal")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGKILL
    assert set(by_instance(done.events, "signal.received")) == {1, 3}
    assert "signal.failed" not in done.names


def test_a_command_that_cannot_be_run_fails_in_each(panicmon):
    done = panicmon.run(["/no/such"], options=["process.instances=3"])
    assert done.status == 127
    assert done.names == ["process.started"] * 3 + ["process.failed"] * 3
    assert set(by_instance(done.events, "process.failed")) == {1, 2, 3}
    assert done.stderr == "panicmon: cannot run '/no/such': No such file or directory\n"


def test_some_that_cannot_be_run(panicmon, tmp_path):
    """The first that runs removes the program: the rest, if late, is not found."""
    program = tmp_path / "program"

    def statuses():
        program.write_text('#!/bin/sh\nrm -f "$0"\n', encoding="utf-8")
        program.chmod(0o755)
        done = panicmon.run([program], options=["process.instances=32"])
        ends = [event["status"] for event in done.events if event["event"] in ("process.exited", "process.failed")]
        assert pm.names(done.events)[:32] == ["process.started"] * 32 and len(ends) == 32
        # sh(1) too may find that it is gone.
        assert set(ends) <= {0, 2, 127} and done.status in set(ends) - {0} | ({0} if set(ends) == {0} else set())
        return "process.failed" in pm.names(done.events) and "process.exited" in pm.names(done.events)
    pm.wait_until(statuses, what="some that were late")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_where_not_all_can_be_forked_none_is_run(panicmon, public_folder):
    panicmon.path = shutil.copy(panicmon.path, public_folder / "panicmon")
    config = public_folder / "empty.ini"
    config.touch()
    done = panicmon.run(["touch", public_folder / "touched"], config=config, options=["process.instances=8"], cwd="/",
                        prefix=["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "prlimit", "--nproc=5"])
    assert done.status == 125
    assert done.stderr.startswith("panicmon: cannot fork")
    assert not (public_folder / "touched").exists()


def test_stop_timeout_counts_for_each(panicmon):
    script = 'trap "" TERM; [ $PANICMON_INSTANCE = 2 ] && trap "exit 0" TERM; echo ready; while :; do sleep 0.05; done'
    run = panicmon.start(["sh", "-c", script], options=["process.instances=3", "process.stop_timeout=3s"])
    pm.wait_until(lambda: run.stdout.count("ready") == 3, what="the commands")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGKILL
    exited = by_instance(done.events, "process.exited")
    assert {number: events[0].get("signal") for number, events in exited.items()} == {1: "SIGKILL", 2: None, 3: "SIGKILL"}
    killed = [event["instance"] for event in done.events if event["event"] == "signal.passed" and event["signal"] == "SIGKILL"]
    assert sorted(killed) == [1, 3]


@pytest.mark.parametrize("key, number", [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_a_key_reaches_each_once(panicmon, terminal, tmp_path, key, number):
    """The terminal stays with panicmon, which passes it on."""
    run = on_terminal(panicmon, terminal, sigcounts(tmp_path), options=["process.instances=3"])
    terminal.wait_for("ready", 3)
    assert terminal.foreground() == run.pid
    paths = [tmp_path / f"taken.{i}" for i in (1, 2, 3)]
    for count in (1, 2):
        terminal.type(key)
        for path in paths:
            pm.wait_until(lambda: len(pm.taken(path)) >= count, what="the signal")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    for path in paths:
        assert pm.numbers_taken(path) == [number, number, TERM]
    assert {instance: [event["signo"] for event in events]
            for instance, events in by_instance(done.events, "signal.passed").items()} == dict.fromkeys(
                (1, 2, 3), [number, number, TERM])


def test_ctrl_c_ends_all_and_panicmon_by_it(panicmon, terminal):
    run = on_terminal(panicmon, terminal, ["sleep", "1000"], options=["process.instances=3"])
    run.commands(3)
    terminal.type("\x03")
    assert run.wait().status == -signal.SIGINT


@pytest.mark.parametrize("handlers", [0, 1, 2])
def test_all_end_with_a_panicmon_that_is_killed(panicmon, tmp_path, handlers):
    """With their groups. Of each that lived it is told that the monitor died."""
    logs = [tmp_path / f"log{i}" for i in range(handlers)]
    config = panicmon.config("".join(panicmon.log_section(log.name, log) for log in logs))
    run = panicmon.start([pm.tool("stubborn"), 2], config=config, options=["process.instances=3"])
    pm.wait_until(lambda: run.stdout.count("stubborn") == 3, what="the commands")
    commands = run.commands(3)
    families = {pid: {pid, *procfs.descendants(pid)} for pid in commands}
    everybody = set().union(*families.values())
    assert len(everybody) == 9
    if handlers == 0:
        pm.wait_until(lambda: "pm-guard" in map(procfs.comm, procfs.children(run.pid)), what="the guard")
    # One has ended before: that was told, and its family is no longer ours.
    gone = commands[1]
    os.kill(gone, signal.SIGKILL)
    for log in logs:
        pm.wait_until(lambda: "process.exited" in pm.names(pm.read_events(log)), what="the end of one")
    pm.wait_until(lambda: procfs.state(gone) is None, what="the reaping of one")
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    pm.wait_until(lambda: not procfs.living(everybody - families[gone]), what="the end of all")
    for pid in procfs.living(families[gone]):
        os.kill(pid, signal.SIGKILL)
    for log in logs:
        pm.wait_until(lambda: pm.names(pm.read_events(log)).count("process.exited") == 3, what="the ends")
        exited = {event["pid"]: (event["reason"], event["instance"]) for event in pm.read_events(log)
                  if event["event"] == "process.exited"}
        started = {event["pid"]: event["instance"] for event in pm.read_events(log) if event["event"] == "process.started"}
        assert exited == {pid: ("signaled" if pid == gone else "monitor-died", started[pid]) for pid in commands}
