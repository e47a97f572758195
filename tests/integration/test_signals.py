"""Signals: passed on to the command as they came, each recorded, none lost."""
import os
import shutil
import signal
import time

import pytest

import plugins
import pm
import procfs

# Not to be passed: nobody can receive KILL and STOP, and SIGCHLD is panicmon's own. With 32 and 33,
# which glibc keeps for itself.
PASSED = sorted(set(range(1, signal.SIGRTMAX + 1)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD})


@pytest.fixture
def sigcount(panicmon, tmp_path):
    """A panicmon around sigcount, which ends at SIGTERM with 0."""
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"])
    run.wait_for_stdout("ready")
    run.taken = tmp_path / "taken"
    return run


def test_every_signal_arrives_and_is_recorded(sigcount):
    others = [number for number in PASSED if number != signal.SIGTERM]
    for number in others:
        sigcount.send(number)
        pm.wait_until(lambda: number in [one for one, _ in pm.taken(sigcount.taken)], what=f"signal {number}")
    sigcount.send(signal.SIGTERM)
    done = sigcount.wait()
    assert done.status == 0
    wanted = [(number, 0) for number in [*others, int(signal.SIGTERM)]]
    assert pm.taken(sigcount.taken) == wanted
    for name in ("signal.received", "signal.passed"):
        events = [event for event in done.events if event["event"] == name]
        assert [event["signo"] for event in events] == [number for number, _ in wanted]
        assert {event["sender_pid"] for event in events} == {os.getpid()}
        assert {event["sender_uid"] for event in events} == {os.getuid()}
        assert {event["pid"] for event in events} == {done.events[0]["pid"]}
    assert {event["target_pid"] for event in done.events if event["event"] == "signal.passed"} == {done.events[0]["pid"]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGSEGV, signal.SIGFPE, signal.SIGABRT,
                                    signal.SIGPIPE])
def test_a_value_sent_with_any_signal_arrives(panicmon, sigcount, number):
    sender = panicmon.spawn([pm.tool("sigqueue_storm"), sigcount.pid, 1, int(number), 4711])
    assert sender.wait(pm.DEADLINE) == 0
    event = sigcount.wait_for_event("signal.passed")
    assert (event["value"], event["signo"]) == (4711, number)
    assert event["sender_pid"] == sender.pid
    pm.wait_until(lambda: pm.taken(sigcount.taken) == [(number, 4711)], what="the signal")
    if number != signal.SIGTERM:
        sigcount.send(signal.SIGTERM)
    assert sigcount.wait().status == 0


def test_sigchld_is_not_passed(sigcount):
    sigcount.send(signal.SIGCHLD)
    sigcount.send(signal.SIGTERM)
    done = sigcount.wait()
    assert pm.taken(sigcount.taken) == [(signal.SIGTERM, 0)]
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]


def test_the_sender_is_named(panicmon, sigcount):
    sender = panicmon.spawn(["sh", "-c", f"kill -USR1 {sigcount.pid}; read x"], stdin=-1)
    event = sigcount.wait_for_event("signal.received")
    sender.communicate(timeout=pm.DEADLINE)
    assert (event["sender_command"], event["sender_pid"]) == ("sh", sender.pid)
    sigcount.send(signal.SIGTERM)
    sigcount.wait()


def test_a_signal_at_once_after_the_start(panicmon, tmp_path):
    """Anywhere in the start window, it ends the command or panicmon itself, and is not swallowed."""
    for i in range(100):
        run = panicmon.start(["sleep", "1000"])
        for _ in range(i * 40):
            pass  # a moment that differs
        run.send(signal.SIGTERM)
        done = run.wait()
        assert done.status == -signal.SIGTERM, done
        if done.events:
            assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]


def test_a_signal_in_each_part_of_the_start(panicmon):
    """Later and later, until the command runs: over the time that a start takes."""
    begun = time.monotonic()
    panicmon.run(["true"])
    whole = time.monotonic() - begun
    for i in range(60):
        run = panicmon.start(["sleep", "1000"])
        end = time.monotonic() + whole * i / 50
        while time.monotonic() < end:
            pass
        run.send(signal.SIGHUP)
        done = run.wait()
        assert done.status == -signal.SIGHUP, done


def test_signals_before_the_handlers_are_ready_arrive(panicmon, tmp_path):
    """They wait until the command is there. What it is by then, they may well end it."""
    config = panicmon.config(plugins.section("hang", "hang_constructor") + "[panicmon]\nstart_timeout = 3s\n"
                             "drain_timeout = 3s\n" + panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config)
    run.host("hang")
    assert panicmon.spawn([pm.tool("sigqueue_storm"), run.pid, 5, int(signal.SIGRTMIN)]).wait(pm.DEADLINE) == 0

    def values(*wanted):
        return [event["value"] for event in pm.read_events(tmp_path / "log")
                if event["event"] in wanted and event["signo"] == signal.SIGRTMIN]
    pm.wait_until(lambda: len(values("signal.passed", "signal.failed")) == 5, what="the signals")
    run.send(signal.SIGTERM)
    assert run.wait().status in (0, -signal.SIGTERM, -signal.SIGRTMIN)
    assert values("signal.received") == values("signal.passed", "signal.failed") == list(range(5))
    assert 0 in values("signal.passed")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a set-user-ID program")
def test_a_signal_that_may_not_be_passed_is_told(panicmon, public_folder):
    """The command has become root and panicmon is nobody: EPERM."""
    setpriv = shutil.copy(shutil.which("setpriv"), public_folder / "rootpriv")
    os.chmod(setpriv, 0o4755)
    panicmon.path = shutil.copy(panicmon.path, public_folder / "panicmon")
    shutil.copy(panicmon.handler_dir / "log.so", public_folder / "log.so")
    panicmon.handler_dir = public_folder
    config = public_folder / "config.ini"
    log = public_folder / "log"
    config.write_text(f"[handler:log]\npath = {log}\nformat = json\ntrust_path = yes\n", encoding="utf-8")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    run = panicmon.start([setpriv, "--reuid=0", "--regid=0", "--clear-groups", "sleep", "1000"], config=config,
                         prefix=nobody)
    command = pm.wait_until(lambda: [pid for pid in procfs.children(run.pid) if procfs.command_line(pid)[:1] == ["sleep"]],
                            what="the command")[0]
    run.send(signal.SIGTERM)
    pm.wait_until(lambda: "signal.failed" in pm.names(pm.read_events(log)), what="the event")
    os.kill(command, signal.SIGKILL)
    assert run.wait().status == -signal.SIGKILL
    events = pm.read_events(log)
    assert pm.names(events) == ["process.started", "signal.received", "signal.failed", "process.exited"]
    assert (events[2]["errno"], events[2]["severity"], events[2]["signal"]) == ("EPERM", "warning", "SIGTERM")
    assert events[3]["stop_requested"] is False


def test_signals_to_the_hosts_do_them_nothing(panicmon, tmp_path):
    """A service manager sends its stop signal to every process of the control group."""
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"])
    run.wait_for_stdout("ready")
    host = run.host()
    for number in PASSED:
        os.kill(host, number)
    run.send(signal.SIGTERM)
    done = run.wait()
    assert (done.status, done.stderr) == (0, "")
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]
    assert not any("attempt" in event for event in done.events)


def test_a_fault_of_the_command_is_its_own(panicmon, tmp_path):
    """SIGSEGV that is sent to panicmon is passed on; one of the command's own ends it."""
    run = panicmon.start(["sleep", "1000"])
    run.command()
    run.send(signal.SIGSEGV)
    done = run.wait()
    assert done.status == -signal.SIGSEGV
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]


def test_a_write_to_a_closed_pipe_is_nobodys_signal(panicmon, tmp_path):
    """panicmon's own SIGPIPE is not the command's."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    config = panicmon.config("[handler:log]\nrequired = no\nno_such_option = 1\n" +
                             panicmon.log_section("other", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config,
                         stderr=write_end)
    os.close(write_end)
    run.wait_for_stdout("ready")
    run.send(signal.SIGTERM)
    assert run.wait().status == 0
    assert pm.taken(tmp_path / "taken") == [(signal.SIGTERM, 0)]
    assert len(pm.read_events(tmp_path / "log")) == 4
