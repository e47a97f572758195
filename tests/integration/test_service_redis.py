"""A real service, and the end of all of it when panicmon itself is killed."""
import os
import shutil
import signal
import socket
import subprocess
import time

import pytest

import plugins
import pm
import procfs
from ports import free_port

needs_redis = pytest.mark.skipif(shutil.which("redis-server") is None or shutil.which("redis-benchmark") is None,
                                 reason="redis is not installed")


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
    except OSError:
        return False


@pytest.fixture
def redis(panicmon, tmp_path):
    """Starts redis-server under panicmon and waits until it serves. The port may be taken meanwhile."""
    def start(**arguments):
        for _ in range(5):
            port = free_port()
            run = panicmon.start(["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", tmp_path,
                                  "--logfile", tmp_path / "redis.log", "--daemonize", "no"], **arguments)
            pm.wait_until(lambda: run.popen.poll() is not None or answers(port), what="redis to serve")
            if run.popen.poll() is None:
                run.port = port
                return run
        raise AssertionError("no free port: " + (tmp_path / "redis.log").read_text())
    return start


def benchmark(port):
    done = subprocess.run(["redis-benchmark", "-h", "127.0.0.1", "-p", str(port), "-n", "500", "-c", "10", "-q",
                           "-t", "set,get"], capture_output=True, text=True, timeout=pm.DEADLINE, check=True)
    assert "SET:" in done.stdout and "GET:" in done.stdout
    assert "requests per second" in done.stdout


@needs_redis
def test_redis_serves_and_is_shut_down_by_term(redis, tmp_path):
    run = redis()
    benchmark(run.port)
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    log = (tmp_path / "redis.log").read_text()
    assert "Received SIGTERM scheduling shutdown" in log
    assert "Redis is now ready to exit, bye bye" in log
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]
    exited = done.events[-1]
    assert (exited["code"], exited["stop_requested"], exited["stop_signal"]) == (0, True, "SIGTERM")
    assert exited["max_rss_kb"] > 1000


def kill_and_time(run, pids):
    """SIGKILLs panicmon and returns how many seconds later the pids were gone, as seen from here."""
    begun = time.monotonic()
    os.kill(run.pid, signal.SIGKILL)
    pm.wait_until(lambda: not procfs.living(pids), what="the end of the command")
    return time.monotonic() - begun


@needs_redis
def test_redis_ends_with_a_panicmon_that_is_killed(redis, record_property):
    run = redis()
    command = run.command()
    seconds = kill_and_time(run, {command})
    record_property("seconds", f"{seconds:.3f}")
    print(f"redis was gone {seconds * 1000:.0f} ms after panicmon")
    run.wait()
    exited = run.wait_for_event("process.exited")
    assert (exited["reason"], exited["code"], exited["pid"]) == ("monitor-died", -1, command)
    assert not answers(run.port)


# Stays whatever it is sent, but for SIGKILL and SIGSTOP. It says so when it is ready.
STUBBORN = """
import signal, sys, time
for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
print("stubborn", flush=True)
while True:
    time.sleep(1000)
"""


def stubborn(panicmon, tmp_path, config):
    """panicmon around a shell with a child that ignores all that can be ignored."""
    script = tmp_path / "stubborn.py"
    script.write_text(STUBBORN, encoding="utf-8")
    run = panicmon.start(["sh", "-c", f"{pm_python()} -S {script} & wait"], config=config)
    run.wait_for_stdout("stubborn")
    command = run.command()
    return run, {command, *procfs.descendants(command)}


def pm_python():
    return shutil.which("python3")


def test_the_commands_whole_group_ends_with_a_panicmon_that_is_killed(panicmon, tmp_path):
    logs = [tmp_path / "one", tmp_path / "two"]
    config = panicmon.config("".join(panicmon.log_section(log.name, log) for log in logs))
    run, group = stubborn(panicmon, tmp_path, config)
    hosts = set(run.hosts().values())
    assert len(group) == 2 and len(hosts) == 2
    seconds = kill_and_time(run, group)
    print(f"the group was gone {seconds * 1000:.0f} ms after panicmon")
    pm.wait_until(lambda: not procfs.living(hosts), what="the hosts to end")
    for log in logs:
        events = pm.read_events(log)
        assert pm.names(events) == ["process.started", "process.exited"]
        assert (events[1]["reason"], events[1]["seq"], events[1]["status"]) == ("monitor-died", 2, 137)
        assert events[0]["run"] == events[1]["run"]


def test_the_group_ends_also_where_the_handler_hangs(panicmon, tmp_path):
    config = panicmon.config(plugins.section("bad", "hostile", how="hang", path=tmp_path / "notes") +
                             "[panicmon]\ndrain_timeout = 1s\n")
    run, group = stubborn(panicmon, tmp_path, config)
    pm.wait_until(lambda: plugins.seqs(tmp_path / "notes") == [1], what="the handler to hang")
    host = run.host("bad")
    kill_and_time(run, group)
    pm.wait_until(lambda: not procfs.alive(host), what="the host to end")


def test_the_group_ends_without_any_handler_too(panicmon, tmp_path):
    """DESIGN 1.4: when panicmon dies, however it dies, the command dies, and its whole group with it."""
    config = panicmon.config("")
    run, group = stubborn(panicmon, tmp_path, config)
    run.guard()
    os.kill(run.pid, signal.SIGKILL)
    pm.wait_until(lambda: not procfs.living(group), what="the end of the whole group")


def test_what_was_waiting_is_delivered_by_the_survivors(panicmon, tmp_path):
    """Events that a handler had not taken yet when panicmon was killed."""
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("slow", "hostile", path=notes) +
                             panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    host = run.host("slow")
    os.kill(host, signal.SIGSTOP)
    assert panicmon.spawn([pm.tool("sigqueue_storm"), run.pid, 10]).wait(pm.DEADLINE) == 0
    pm.wait_until(lambda: len(pm.read_events(tmp_path / "log")) == 21, what="the signals to be told")
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    os.kill(host, signal.SIGCONT)
    pm.wait_until(lambda: not procfs.alive(host), what="the host to end")
    assert plugins.notes(notes) == ["open", (1, 1, 1)] + [(2 + i, 4 + i % 2, 1) for i in range(20)] + [
        (22, 3, 1), "close"]


def test_a_command_at_the_gate_ends_with_a_panicmon_that_is_killed(panicmon, tmp_path):
    config = panicmon.config(plugins.section("hang", "hang_constructor") +
                             "[panicmon]\nstart_timeout = 60s\ndrain_timeout = 300ms\n")
    touched = tmp_path / "touched"
    run = panicmon.start(["touch", touched], config=config)
    pm.wait_until(lambda: len(procfs.children(run.pid)) >= 2 and run.hosts(), what="the gate")
    tree = procfs.descendants(run.pid)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    pm.wait_until(lambda: not procfs.living(tree), what="all to end")
    assert not touched.exists()
