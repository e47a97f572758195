"""Where nobody reads what panicmon and its log say: the command goes on."""
import fcntl
import os
import signal

import pytest

import plugins
import pm
import procfs


@pytest.fixture
def full_pipe():
    """The writing end of a pipe that takes nothing more; nobody reads it."""
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    try:
        while True:
            os.write(write_end, b"x" * 4096)
    except BlockingIOError:
        pass
    os.set_blocking(write_end, True)
    yield write_end
    os.close(read_end)
    os.close(write_end)


def test_stderr_is_a_full_pipe(panicmon, tmp_path, full_pipe):
    """Messages of panicmon itself: handlers that are refused, and one that falls again and again."""
    config = panicmon.config("[panicmon]\ndrain_timeout = 3s\n" + plugins.section("bad", "no_descriptor", required="no") +
                             plugins.section("poison", "hostile", how="crash") + panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-n", 5, "-x", 7, tmp_path / "taken"], config=config, stderr=full_pipe)
    run.wait_for_stdout("ready")
    for i in range(5):
        run.send(signal.SIGRTMIN)
    done = run.wait()
    assert done.status == 7
    assert len((tmp_path / "taken").read_text().splitlines()) == 6
    events = pm.read_events(tmp_path / "log")
    assert len(events) == 12


def test_the_log_on_a_full_pipe(panicmon, tmp_path, full_pipe):
    """The log handler on stderr, as without a config: it waits, the command does not."""
    config = panicmon.config("[panicmon]\ndrain_timeout = 3s\n[handler:log]\nformat = json\ntrust_path = yes\n" +
                             panicmon.log_section("file", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-n", 5, "-x", 7, tmp_path / "taken"], config=config, stderr=full_pipe)
    run.wait_for_stdout("ready")
    for i in range(5):
        run.send(signal.SIGRTMIN)
    assert run.wait().status == 7
    assert len(pm.read_events(tmp_path / "log")) == 12


def test_a_mistake_in_the_config_with_a_full_pipe(panicmon, full_pipe):
    run = panicmon.start(["true"], config=panicmon.config("[nothing]\n"), stderr=full_pipe)
    assert run.wait().status == 125


def test_the_log_on_a_full_disk(panicmon, tmp_path):
    config = panicmon.config(panicmon.log_section("full", "/dev/full") + panicmon.log_section("log", tmp_path / "log"))
    run = panicmon.start([pm.tool("sigcount"), "-n", 5, "-x", 7, tmp_path / "taken"], config=config)
    run.wait_for_stdout("ready")
    for i in range(5):
        run.send(signal.SIGRTMIN)
    done = run.wait()
    assert done.status == 7
    events = pm.read_events(tmp_path / "log")
    losses = [event for event in events if event["event"] == "handler.lost"]
    assert len(events) - len(losses) == 12
    lines = done.stderr.splitlines()
    assert lines[0] == "panicmon[full]: cannot write to '/dev/full': No space left on device; events are dropped until it can be"
    assert plugins.missed(done.stderr, "full") == (0, 12)
    assert all(line.startswith("panicmon: handler 'full' has missed events: ") for line in lines[1:])
    # What it missed after the other had got its last event is on stderr only.
    assert len(losses) in (len(lines) - 2, len(lines) - 1)
    assert {event["handler"] for event in losses} <= {"full"}


def test_the_log_in_a_fifo_that_nobody_reads_yet(panicmon, tmp_path):
    """It waits for a reader; then all comes."""
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), "-x", 7, tmp_path / "taken"],
                         config=panicmon.config(panicmon.log_section("log", fifo)))
    run.wait_for_stdout("ready")
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    text = b""

    def read():
        nonlocal text
        try:
            text += os.read(reader, 65536)
        except BlockingIOError:
            pass
        return text
    pm.wait_until(lambda: b"process.started" in read(), what="the first event")
    run.send(signal.SIGTERM)
    assert run.wait().status == 7
    pm.wait_until(lambda: b"process.exited" in read(), what="the last event")
    assert text.count(b"\n") == 4
    os.close(reader)


def test_panicmon_leaves_the_flags_of_the_shared_descriptors_alone(panicmon, tmp_path):
    """O_NONBLOCK on a shared stderr would be the command's, and the terminal's."""
    read_end, write_end = os.pipe()
    run = panicmon.start(["sleep", "1000"], stderr=write_end, config=panicmon.config(
        "[handler:log]\ntrust_path = yes\n"))
    run.command()
    assert fcntl.fcntl(write_end, fcntl.F_GETFL) & os.O_NONBLOCK == 0
    run.send(signal.SIGTERM)
    run.wait()
    os.close(write_end)
    with os.fdopen(read_end, "rb") as reader:
        assert reader.read().count(b"\n") == 4


def test_the_host_that_is_stuck_at_stderr_is_ended(panicmon, full_pipe):
    config = panicmon.config("[panicmon]\ndrain_timeout = 300ms\n[handler:log]\ntrust_path = yes\n")
    run = panicmon.start(["sleep", "1000"], config=config, stderr=full_pipe)
    run.command()
    host = run.host()
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGTERM
    assert not procfs.alive(host)
