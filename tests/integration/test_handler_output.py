"""What a handler writes to stdout and stderr, and by host->log()."""
import re
import signal

import pytest

import plugins
import pm


def lines_of(stderr, name="bad"):
    """Of a handler: the lines, and how many were left out."""
    mark = f"panicmon[{name}]: "
    lines = [line[len(mark):] for line in stderr.splitlines() if line.startswith(mark)]
    left_out = [re.fullmatch(r"\((\d+) more lines are left out\)", line) for line in lines]
    return ([line for line, count in zip(lines, left_out) if count is None],
            sum(int(count[1]) for count in left_out if count is not None))


def run(panicmon, how, where="event", command=("sh", "-c", "echo out; exit 3"), **keys):
    config = panicmon.config("[panicmon]\ndrain_timeout = 20s\n" +
                             plugins.section("bad", "hostile", where=where, how=how, seq=1, **keys))
    done = panicmon.run(command, config=config)
    assert (done.status, done.stdout) == (3, "out\n")
    return done


def test_megabytes(panicmon):
    """Long lines are cut into pieces, most are left out, and none is uncounted; the end waits for no more than
    that they are read."""
    done = run(panicmon, "print")
    lines, left_out = lines_of(done.stderr)
    assert set(lines) <= {"x" * 500, "x" * (4194304 % 500)}
    assert len(lines) + left_out == 8389
    assert len(lines) <= 50 * (2 + done.seconds)
    assert done.seconds < 15


def test_megabytes_do_not_hold_up_the_command(panicmon, tmp_path):
    """It is started, signalled and reaped while a handler writes."""
    config = panicmon.config("[panicmon]\ndrain_timeout = 20s\n" + plugins.section("bad", "hostile", how="print") +
                             panicmon.log_section("log", tmp_path / "log"))
    started = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), "-x", 7, tmp_path / "taken"], config=config)
    started.wait_for_stdout("ready")
    started.send(signal.SIGTERM)
    done = started.wait()
    assert done.status == 7
    assert len([event for event in pm.read_events(tmp_path / "log") if event["event"] != "handler.lost"]) == 4


def test_a_storm_of_lines(panicmon):
    done = run(panicmon, "log")
    lines, left_out = lines_of(done.stderr)
    assert len(lines) + left_out == 10000
    assert lines == [f"line {i}" for i in map(int, (line.split()[1] for line in lines))]
    assert lines[:3] == ["line 0", "line 1", "line 2"]
    assert len(lines) <= 50 * (2 + done.seconds)


def test_the_last_line_without_a_newline(panicmon):
    assert run(panicmon, "print-without-end").stderr == "panicmon[bad]: no newline\n"
    assert run(panicmon, "print-without-end", where="close").stderr == "panicmon[bad]: no newline\n"


@pytest.mark.skipif(pm.is_sanitized(), reason="the sanitizer has no C++ library of its own")
def test_what_comes_before_a_crash_is_there(panicmon):
    """Such as what the C++ library says of an exception that nobody catches."""
    if not plugins.path("throw").exists():
        pytest.skip("there is no C++ compiler")
    config = panicmon.config(plugins.section("bad", "throw"))
    done = panicmon.run(["true"], config=config)
    assert done.status == 0
    assert "panicmon[bad]:   what():  nobody catches this" in done.stderr.splitlines()


def test_somebody_who_writes_on_when_panicmon_has_ended(panicmon):
    """A daemon of the handler's own, which ends as soon as it cannot write any more (the fixture waits for it)."""
    done = run(panicmon, "print-for-ever", times=1)
    assert done.seconds < 15
    assert set(lines_of(done.stderr)[0]) <= {"late"}
