"""The log in a file: rotated, shared, and where there is no room."""
import json
import os
import pathlib
import resource
import signal
import subprocess

import pytest

import plugins
import pm


def seqs(*paths):
    return [event["seq"] for path in paths for event in pm.read_events(path)]


def signals_until(run, condition):
    """Sends signals, each of which is two events, until condition() is true."""
    def met():
        run.send(signal.SIGRTMIN)
        return condition()
    pm.wait_until(met, what=lambda: f"the condition; stderr: {run.stderr}")


@pytest.fixture
def logged(panicmon, tmp_path):
    """A sigcount that runs until TERM, and its log."""
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"])
    run.wait_for_stdout("ready")
    yield run
    if run.popen.poll() is None:
        run.kill()


def end(run):
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0, done
    return done


def test_eight_writers_on_one_file(panicmon, tmp_path):
    """Records of 20 KB, which more than one write would mix."""
    log = tmp_path / "log"
    config = panicmon.config(panicmon.log_section("log", log))
    command = ["sh", "-c", 'exec "$0" -n 20 "$1"', pm.tool("sigcount")]
    runs = [panicmon.start([*command, tmp_path / f"taken{i}", str(i) * 20000], config=config, name=f"writer{i}")
            for i in range(8)]
    for run in runs:
        run.wait_for_stdout("ready")
    for _ in range(20):
        for run in runs:
            run.send(signal.SIGRTMIN)
    for run in runs:
        assert run.wait().status == 0
    events = pm.read_events(log)
    for i in range(8):
        own = [event for event in events if event["name"] == f"writer{i}"]
        assert [event["seq"] for event in own] == list(range(1, 43))
        assert all(event["args"][-1] == str(i) * 20000 for event in own)


def test_a_renamed_file(logged, tmp_path):
    old = tmp_path / "log.1"
    logged.wait_for_event("process.started")
    logged.events_path.rename(old)
    signals_until(logged, logged.events_path.exists)
    end(logged)
    found = seqs(old, logged.events_path)
    assert found == list(range(1, len(found) + 1))
    assert seqs(logged.events_path)


def test_copytruncate(logged, tmp_path):
    """What logrotate does when it cannot ask anybody: nothing but what came in between may be missing."""
    signals_until(logged, lambda: len(logged.events) > 10)
    kept = tmp_path / "log.1"
    kept.write_bytes(logged.events_path.read_bytes())
    os.truncate(logged.events_path, 0)
    signals_until(logged, lambda: len(logged.events) > 10)
    end(logged)
    assert b"\0" not in logged.events_path.read_bytes()
    after = seqs(logged.events_path)
    assert after == list(range(after[0], after[0] + len(after)))
    assert seqs(kept) == list(range(1, len(seqs(kept)) + 1))


def test_an_unlinked_file(logged):
    logged.wait_for_event("process.started")
    logged.events_path.unlink()
    signals_until(logged, logged.events_path.exists)
    end(logged)
    after = seqs(logged.events_path)
    assert after == list(range(after[0], after[0] + len(after)))
    assert logged.events[-1]["event"] == "process.exited"


def test_dev_full(panicmon):
    done = panicmon.run(["sh", "-c", "exit 5"], config=panicmon.config(panicmon.log_section("log", "/dev/full")))
    assert done.status == 5, done
    assert done.stderr.count("cannot write to '/dev/full': No space left on device; events are dropped") == 1
    assert plugins.missed(done.stderr, "log") == (0, 2)


def assert_gap(lines, code):
    """The log goes on after a gap of so many events as are missing from it."""
    events = [json.loads(line) for line in lines]
    at = [event["event"] for event in events].index("log.dropped")
    gap, after = events[at], events[at + 1]
    assert gap["errno"] == code
    assert gap["severity"] == "warning"
    assert gap["dropped"] >= 1
    return gap, after


@pytest.mark.skipif(not pm.can_mount(), reason="no file system can be mounted here")
def test_a_tiny_tmpfs(panicmon, tmp_path):
    """A full disk: events are dropped, and when there is room again, the log says how many."""
    place = tmp_path / "tiny"
    place.mkdir()
    config = panicmon.config(panicmon.log_section("log", place / "log"))
    mounted = [*pm.PRIVATE_MOUNTS, "sh", "-c", 'mount -t tmpfs -o size=64k tiny "$0" && exec "$@"', place]
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], config=config,
                         prefix=mounted)
    run.wait_for_stdout("ready")
    log = pathlib.Path(f"/proc/{run.pid}/root{place}/log")
    signals_until(run, lambda: "No space left on device; events are dropped" in run.stderr)
    with open(log, "rb") as file:  # which is to be seen after the end as well, that of its mount
        assert len(file.read()) == 65536
        os.truncate(log, 0)
        signals_until(run, lambda: b"log.dropped" in log.read_bytes())
        end(run)
        file.seek(0)
        lines = [line for line in file.read().splitlines() if line]
    assert_gap(lines, "ENOSPC")
    assert json.loads(lines[-1])["event"] == "process.exited"


def test_a_limit_of_file_size(panicmon, tmp_path):
    """RLIMIT_FSIZE: the signal does not end the host, and a higher limit ends the gap."""
    log = tmp_path / "log"
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"],
                         config=panicmon.config(panicmon.log_section("log", log)))
    run.wait_for_stdout("ready")
    host = run.host()
    limits = resource.prlimit(host, resource.RLIMIT_FSIZE)
    resource.prlimit(host, resource.RLIMIT_FSIZE, (3000, limits[1]))
    signals_until(run, lambda: "File too large; events are dropped" in run.stderr)
    assert log.stat().st_size == 3000
    resource.prlimit(host, resource.RLIMIT_FSIZE, limits)
    signals_until(run, lambda: b"log.dropped" in log.read_bytes())
    end(run)
    text = log.read_bytes()
    torn = text[:3000].count(b"\n")
    lines = text.splitlines(keepends=True)
    assert text[3000:3001] == b"\n"
    gap, after = assert_gap(lines[torn + 1:], "EFBIG")
    events = [json.loads(line) for line in lines[:torn] + lines[torn + 1:]]
    assert after["seq"] == torn + 1 + gap["dropped"]
    assert events[-1]["event"] == "process.exited"


def test_a_closed_pipe(panicmon):
    """Nobody reads any more: neither SIGPIPE nor EPIPE is anything to the command."""
    config = panicmon.config(panicmon.log_section("log", "stdout"))
    read_end, write_end = os.pipe()
    os.close(read_end)
    run = panicmon.start(["sh", "-c", "exit 6"], config=config, stdout=write_end)
    os.close(write_end)
    done = run.wait()
    assert done.status == 6, done
    assert "cannot write to 'stdout': Broken pipe; events are dropped" in done.stderr


def test_records_of_a_pipe_are_not_mixed(panicmon):
    """At most PIPE_BUF, whole, whatever the arguments."""
    config = panicmon.config(panicmon.log_section("log", "stdout"))
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as cat:
        runs = [panicmon.start(["true", "\x01" * 100000], config=config, stdout=cat.stdin) for _ in range(4)]
        for run in runs:
            assert run.wait().status == 0
        out = cat.communicate()[0]
    lines = out.splitlines(keepends=True)
    assert len(lines) == 8
    assert all(len(line) <= 4096 and json.loads(line)["truncated"] for line in lines)


def test_the_level(panicmon, tmp_path):
    keys = {"plugin": "log", "level": "error"}
    config = panicmon.config(panicmon.log_section("all", tmp_path / "all", level="debug") +
                             panicmon.log_section("errors", tmp_path / "errors", **keys))
    panicmon.run(["sh", "-c", "exit 1"], config=config)
    assert pm.names(pm.read_events(tmp_path / "all")) == ["process.started", "process.exited"]
    assert pm.names(pm.read_events(tmp_path / "errors")) == ["process.exited"]
