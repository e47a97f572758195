"""The programs of examples/, which use the library."""
import os
import pathlib
import re
import signal

import pytest

import pm
import procfs


def example(name):
    path = pm.build_dir() / "examples" / name
    if not path.exists():
        pytest.skip("not built")
    return path


@pytest.fixture
def start(panicmon, tmp_path):
    """Starts an example: its process, and the file that its stdout or stderr goes to."""
    def start(name, *words, **files):
        path = tmp_path / "said"
        with open(path, "wb") as said:
            streams = {stream: said for stream in files["streams"]}
            return panicmon.spawn([example(name), *words], **streams), path
    return start


def wait_for_text(path, text):
    pm.wait_until(lambda: text in path.read_text(), what=lambda: f"{text!r} in {path.read_text()!r}")


def report(start, *words):
    return start("run-and-report", *words, streams=["stderr"])


def supervise(start, *words):
    return start("supervise", *words, streams=["stdout", "stderr"])


@pytest.mark.parametrize("script,status,line", [
    ("exit 0", 0, r"sh\[\d+\]: success after \d+ ms"),
    ("exit 3", 3, r"sh\[\d+\]: exit status 3 after \d+ ms"),
    ("kill -USR1 $$", 128 + signal.SIGUSR1, r"sh\[\d+\]: killed by SIGUSR1 after \d+ ms"),
])
def test_report_of_an_end(start, script, status, line):
    process, said = report(start, "sh", "-c", script)
    assert process.wait(pm.DEADLINE) == status
    assert re.fullmatch(line + "\n", said.read_text())


def test_report_of_one_that_is_not_there(start):
    process, said = report(start, "panicmon-no-such-command")
    assert process.wait(pm.DEADLINE) == 125
    assert said.read_text() == "panicmon-no-such-command: not started: No such file or directory\n"


def test_report_of_who_has_asked(start, tmp_path):
    process, said = report(start, "sh", "-c", f"echo > {tmp_path}/ready; exec sleep 60")
    pm.wait_until((tmp_path / "ready").exists)
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(pm.DEADLINE) == 128 + signal.SIGTERM
    lines = said.read_text().splitlines()
    assert len(lines) == 2
    assert re.fullmatch(rf"sh\[\d+\]: Terminated from process {os.getpid()} \(.+\): passed on", lines[0])
    assert re.fullmatch(
        rf"sh\[\d+\]: killed by SIGTERM after \d+ ms, as process {os.getpid()} had asked", lines[1])


def test_supervise_shows_whole_lines_with_names(start):
    process, said = supervise(start, "one=printf 'a\\nb'; printf 'c\\n' >&2; printf d", "two=echo e; echo f")
    assert process.wait(pm.DEADLINE) == 0
    lines = said.read_text().splitlines()
    assert [line for line in lines if line.startswith("two")] == [
        "two        | e", "two        | f", "two        * success"]
    ones = [line.removeprefix("one        ") for line in lines if line.startswith("one")]
    assert ones[-1] == "* success"
    # stdout and stderr are two pipes: which of them is read first is nobody's promise.
    assert "".join(sorted("".join(line.removeprefix("| ") for line in ones[:-1]))) == "abcd"


def test_supervise_stops_all_when_one_fails(start, tmp_path):
    wait = f"until [ -e {tmp_path}/ready ]; do sleep 0.01; done"
    process, said = supervise(start, f"bad={wait}; exit 4", f"good=echo > {tmp_path}/ready; exec sleep 60")
    assert process.wait(pm.DEADLINE) == 1
    assert said.read_text() == "bad        * exit status 4\ngood       * killed by SIGTERM\n"


def test_supervise_passes_a_signal_to_all(start):
    words = [f"{name}=echo ready; exec sleep 60" for name in "abc"]
    process, said = supervise(start, *words)
    for name in "abc":
        wait_for_text(said, f"{name}          | ready\n")
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(pm.DEADLINE) == 1
    assert said.read_text().count("* killed by SIGINT\n") == 3


def test_supervise_takes_its_commands_along(start):
    process, said = supervise(start, "a=echo ready; exec sleep 60", "b=echo ready; exec sleep 60")
    for name in "ab":
        wait_for_text(said, f"{name}          | ready\n")
    commands = procfs.children(process.pid)
    assert len(commands) == 2
    process.kill()
    pm.wait_until(lambda: not procfs.living(commands), what="the end of the commands")


@pytest.mark.parametrize("words", [[], ["no-command"]])
def test_supervise_says_what_it_wants(start, words):
    process, said = supervise(start, *words)
    assert process.wait(pm.DEADLINE) == 125
    assert "NAME=COMMAND" in said.read_text()


def test_first_lines_tell_how_to_compile():
    examples = pathlib.Path(os.environ.get("PM_SOURCE_DIR", pathlib.Path(__file__).parents[2])) / "examples"
    for path in sorted(examples.glob("*.c")):
        name = path.stem
        assert f" *     cc -o {name} {name}.c $(pkg-config --cflags --libs libpanicmon)\n" in path.read_text()
