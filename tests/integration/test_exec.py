"""The handler exec: what the program of an event finds itself in."""
import ctypes
import errno
import json
import os
import platform
import resource
import signal
import subprocess

import pytest

import hooks
import plugins
import pm
import procfs
from terminals import on_terminal

SYS_RT_SIGACTION = {"x86_64": 13, "aarch64": 134}.get(platform.machine())


@pytest.fixture
def hook(panicmon, tmp_path):
    """Runs a command with the recorder as its hook, beside a log: (pm.Completed, [hooks.Run])."""
    def run(command=("sh", "-c", "exit 3"), words=(), more=None, **arguments):
        record = tmp_path / "record"
        text = hooks.section([hooks.recorder(tmp_path), record, *words], **(more or {}))
        path = hooks.config(panicmon, text, panicmon.log_section("log", tmp_path / "log"))
        done = panicmon.run(command, config=path, **arguments)
        return done, hooks.runs(record)
    return run


def of(runs, name):
    found, = [run for run in runs if run.event["event"] == name]
    return found


def test_every_event_of_a_run_in_order(panicmon, tmp_path):
    record = tmp_path / "record"
    path = hooks.config(panicmon, hooks.section([hooks.recorder(tmp_path), record]),
                        panicmon.log_section("log", tmp_path / "log"))
    started = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGUSR1), tmp_path / "taken"], config=path)
    started.wait_for_stdout("ready")
    started.send(signal.SIGUSR1)
    started.wait()
    runs = hooks.runs(record)
    events = pm.read_events(tmp_path / "log")
    assert [run.event for run in runs] == events
    assert pm.names(events) == ["process.started", "signal.received", "signal.passed", "process.exited"]
    for run in runs:
        assert run.text.count("\n") == 1 and run.text.endswith("}\n")
        assert hooks.told(run) == hooks.variables(run.event)
        assert hooks.inherited(run) == started_with(panicmon)
    assert [hooks.systemd(run) for run in runs] == [(None, None, None)] * 3 + [("exited", "0", "success")]


def started_with(panicmon):
    return {key: value for key, value in panicmon.environment.items()
            if key not in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "EXIT_CODE", "EXIT_STATUS", "SERVICE_RESULT")}


@pytest.mark.parametrize("name", ["process.started", "process.failed", "process.exited", "signal.received",
                                  "signal.passed", "signal.failed"])
def test_each_event_of_test_fire(panicmon, tmp_path, name):
    """With all members that an event of its kind can have."""
    panicmon.path = str(pm.build_dir() / "panicmonctl")
    record = tmp_path / "record"
    path = panicmon.config(f"[panicmon]\nhandler_dir = {panicmon.handler_dir}\nstart_timeout = 60s\n" +
                           hooks.section([hooks.recorder(tmp_path), record]))
    done = panicmon.run_raw(["test-fire", "exec", "--event", name, "-c", path])
    assert (done.status, done.stderr) == (0, "") and "delivered" in done.stdout
    run, = hooks.runs(record)
    assert hooks.told(run) == hooks.variables(run.event)
    assert (run.environment["PANICMON_EVENT"], run.environment["PANICMON_TEST"]) == (name, "1")
    assert hooks.systemd(run) == {"process.exited": ("dumped", "SEGV", "core-dump"),
                                  "process.failed": (None, None, "resources")}.get(name, (None, None, None))


@pytest.mark.parametrize("script, wanted", [
    ("exit 0", ("exited", "0", "success")),
    ("exit 3", ("exited", "3", "exit-code")),
    ("exit 255", ("exited", "255", "exit-code")),
    ("kill -KILL $$", ("killed", "KILL", "signal")),
    ("kill -TERM $$", ("killed", "TERM", "success")),
    ("kill -PIPE $$", ("killed", "PIPE", "success")),
    ("kill -USR1 $$", ("killed", "USR1", "signal")),
    (f"kill -{signal.SIGRTMIN + 2} $$", ("killed", "RTMIN+2", "signal")),
    ("ulimit -c 0; kill -SEGV $$", ("killed", "SEGV", "signal")),
])
def test_the_end_as_systemd_names_it(hook, script, wanted):
    _, runs = hook(["sh", "-c", script])
    run = of(runs, "process.exited")
    if run.event.get("core"):  # a core_pattern that is a pipe heeds no limit
        wanted = ("dumped", wanted[1], "core-dump")
    assert hooks.systemd(run) == wanted


def test_a_core(hook, tmp_path):
    def allow():
        _, hard = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    _, runs = hook(["sh", "-c", "kill -SEGV $$"], preexec_fn=allow, cwd=tmp_path)
    run = of(runs, "process.exited")
    if not run.event["core"]:
        pytest.skip("no core is dumped here")
    assert hooks.systemd(run) == ("dumped", "SEGV", "core-dump")


def test_a_command_that_cannot_be_started(hook):
    _, runs = hook(["/nonexistent/command"])
    run = of(runs, "process.failed")
    assert (run.environment["PANICMON_ERRNO"], run.environment["PANICMON_STATUS"]) == ("ENOENT", "127")
    assert hooks.systemd(run) == (None, None, "resources")


def test_what_another_hook_has_left_in_the_environment(hook, tmp_path):
    """An event of its own would be taken for ours, and the descriptors are not there."""
    stale = {"PANICMON_SIGNAL": "SIGOLD", "PANICMON_CONFIG": str(tmp_path / "test.ini"), "EXIT_STATUS": "77",
             "EXIT_CODE": "old", "SERVICE_RESULT": "old", "LISTEN_FDS": "2", "LISTEN_PID": "1", "LISTEN_FDNAMES": "a:b",
             "KEPT": "a=b\nc"}
    _, runs = hook(["true"], env=stale)
    begun, ended = runs
    for run in runs:
        assert run.environment["KEPT"] == "a=b\nc"
        assert run.environment["PANICMON_CONFIG"] == str(tmp_path / "test.ini")
        for key in ("PANICMON_SIGNAL", "LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"):
            assert key not in run.environment
    assert hooks.systemd(begun) == (None, None, None)
    assert hooks.systemd(ended) == ("exited", "0", "success")


def test_no_shell(hook, tmp_path):
    """What a shell would do something about arrives as it is."""
    words = [";", "touch pwned", "$HOME", "${X}", "$(id)", "`id`", "*", "~", "a  b", "", "'", '"', "\\", "&&", ">x", "#", "é"]
    _, runs = hook(["true"], words=words, cwd=tmp_path)
    for run in runs:
        assert [word.encode("latin-1").decode() for word in run.argv[2:]] == words
    assert not (tmp_path / "pwned").exists() and not (tmp_path / "x").exists()


def test_hostile_arguments(hook):
    hostile = [b"new\nline", b"quo'te \"", b"$(id)`id`", b"\xff\xfe bad", b"\x1b[31m", "ü€😀".encode(), b"", b"a=b", b"\\"]
    done, runs = hook(["sh", "-c", "exit 0", *map(os.fsdecode, hostile)])
    assert done.status == 0
    clean = [word.decode(errors="replace") for word in hostile]
    for run in runs:
        assert run.event["args"][3:] == clean
        assert hooks.told(run)["PANICMON_ARGS"][3:] == clean
        assert "PANICMON_TRUNCATED" not in run.environment


def test_a_megabyte_of_arguments(hook):
    """Whole on stdin; cut in the environment, and said so."""
    large = ["x" * 100_000 + str(i) for i in range(10)]
    done, runs = hook(["true", *large])
    assert done.status == 0
    assert len(runs) == 2
    for run in runs:
        assert run.event["args"] == ["true", *large] and "truncated" not in run.event
        assert run.environment["PANICMON_TRUNCATED"] == "1"
        args = hooks.told(run)["PANICMON_ARGS"]
        assert args[0] == "true" and args[1].rstrip("…") == "x" * len(args[1].rstrip("…")) and len(args) == 2
        assert 8_000 < len(run.environment["PANICMON_ARGS"]) < 32_000


def fill_environment(environment, arguments, preexec_fn):
    """Variables that leave next to no room for more than such arguments."""
    filled = {f"FILL{i}": "z" * 100_000 for i in range(20)}
    for size in range(100_000, 0, -500):
        filled["FILL"] = "z" * size
        try:
            subprocess.run(["/bin/true", *arguments], env={**environment, **filled}, preexec_fn=preexec_fn, check=True)
            return filled
        except OSError as error:
            assert error.errno == errno.E2BIG
    raise AssertionError("there is no room at all")


def test_an_environment_that_leaves_no_room(panicmon, tmp_path):
    """What panicmon was started with is nearly all that execve(2) takes: the event's own part shrinks."""
    stack = 8 << 20  # a quarter of it is for arguments and environment

    def small_stack():
        resource.setrlimit(resource.RLIMIT_STACK, (stack, resource.getrlimit(resource.RLIMIT_STACK)[1]))

    record = tmp_path / "record"
    path = hooks.config(panicmon, hooks.section([hooks.recorder(tmp_path), record]))
    quotes = "'" * 4_000  # below the usual limit; four times that as a word of a shell
    filled = fill_environment(panicmon.environment, [quotes, "x" * 2_000], small_stack)
    done = panicmon.run(["true", quotes], config=path, env=filled, preexec_fn=small_stack)
    assert (done.status, done.stderr) == (0, "")
    runs = hooks.runs(record)
    assert [run.event["event"] for run in runs] == ["process.started", "process.exited"]
    for run in runs:
        assert run.event["args"] == ["true", quotes]
        assert run.environment["PANICMON_TRUNCATED"] == "1"
        assert hooks.told(run)["PANICMON_ARGS"][0] == "true"
        assert run.environment["FILL"] == filled["FILL"]


def test_descriptors(panicmon, tmp_path):
    """0, 1 and 2, whatever the command and panicmon have: not the command's stdin or output."""
    script = hooks.program(tmp_path, f"exec {pm.tool('probe')} {tmp_path}/found.$PANICMON_SEQ")
    extra = os.open(tmp_path / "extra", os.O_CREAT | os.O_RDWR)
    try:
        done = panicmon.run(["sh", "-c", "exit 0"], config=hooks.config(panicmon, hooks.section([script])),
                            pass_fds=[extra], stdin=extra)
    finally:
        os.close(extra)
    assert done.status == 0
    for seq in "12":
        lines = (tmp_path / f"found.{seq}").read_text(errors="replace").splitlines()
        found = dict(line.split(" ", 2)[1:] for line in lines if line.startswith("fd "))
        assert sorted(found) == ["0", "1", "2"]
        assert found["0"].startswith("/memfd:panicmon-event") and found["1"] == found["2"] and found["1"].startswith("pipe:")


def test_signals_are_as_at_login(panicmon, tmp_path):
    """A host has all of them blocked, and panicmon may have been started with some ignored."""
    out = tmp_path / "out"
    # cat, not the shell: it takes some for itself.
    script = hooks.program(tmp_path, f"exec cat /proc/self/status >>{out}")

    def ignore_and_block():
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGCHLD, signal.SIGPIPE, signal.SIGUSR1, signal.SIGRTMIN):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2, signal.SIGALRM])
        # The C library's own, which make(1) leaves ignored; a struct of the kernel's that begins with SIG_IGN.
        ignored = (ctypes.c_ulong * 16)(1)
        assert SYS_RT_SIGACTION is None or ctypes.CDLL(None).syscall(SYS_RT_SIGACTION, 32, ignored, None, 8) == 0

    done = panicmon.run(["true"], config=hooks.config(panicmon, hooks.section([script])), preexec_fn=ignore_and_block)
    assert done.status == 0
    masks = [line.split()[1] for line in out.read_text().splitlines()
             if line.startswith(("SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:"))]
    assert len(masks) == 10 and {int(mask, 16) for mask in masks} == {0}


def test_a_group_of_its_own(hook):
    """Led by a process that sees to its end."""
    _, runs = hook(["true"])
    for run in runs:
        assert run.found["group"] == run.found["parent"] not in (os.getpgrp(), run.found["pid"])


def test_no_terminal(panicmon, terminal, tmp_path):
    """A program that asks there for a password would wait for ever; the command has it."""
    out = tmp_path / "out"
    script = hooks.program(tmp_path, f"(exec 3</dev/tty) 2>/dev/null && echo a terminal >>{out}; echo ran >>{out}")
    done = on_terminal(panicmon, terminal, ["sh", "-c", "exec 3</dev/tty"],
                       config=hooks.config(panicmon, hooks.section([script]))).wait()
    assert done.status == 0
    assert out.read_text() == "ran\nran\n"


def test_stdin_none(hook):
    _, runs = hook(["true"], more={"stdin": "none"})
    assert [run.text for run in runs] == ["", ""]
    assert {run.found["descriptors"]["0"] for run in runs} == {"/dev/null"}


def test_directory(hook, tmp_path):
    (tmp_path / "a folder").mkdir()
    _, runs = hook(["true"], more={"directory": tmp_path / "a folder"})
    assert {run.found["cwd"] for run in runs} == {str(tmp_path / "a folder")}
    (tmp_path / "record").unlink()
    _, runs = hook(["true"], cwd="/")
    assert {run.found["cwd"] for run in runs} == {"/"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_another_user(panicmon, public_folder):
    record = public_folder / "record"
    record.touch()
    record.chmod(0o666)
    path = hooks.config(panicmon, hooks.section([hooks.recorder(public_folder), record], user="nobody"))
    done = panicmon.run(["sh", "-c", "exit 4"], config=path)
    if "cannot open shared object" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip("the build is in a folder that others cannot read")
    assert done.status == 4
    runs = hooks.runs(record)
    assert [run.event["event"] for run in runs] == ["process.started", "process.exited"]
    assert {run.found["uid"] for run in runs} == {65534}


def test_output_is_labelled(panicmon, tmp_path):
    """And none of it is on the command's."""
    script = hooks.program(tmp_path, "echo out $PANICMON_EVENT; echo err >&2; printf 'no end'")
    done = panicmon.run(["sh", "-c", "echo mine"], config=hooks.config(panicmon, hooks.section([script], name="hook")))
    assert (done.status, done.stdout) == (0, "mine\n")
    lines = hooks.lines(done.stderr, "hook")
    assert "out process.started" in lines and "err" in lines
    assert done.stderr.splitlines() == [f"panicmon[hook]: {line}" for line in lines]


def test_two_sections_each_its_own(panicmon, tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    recorder = hooks.recorder(tmp_path)
    path = hooks.config(panicmon, hooks.section([recorder, first], name="one"),
                        hooks.section([recorder, second], name="two"))
    assert panicmon.run(["true"], config=path).status == 0
    assert len(hooks.runs(first)) == len(hooks.runs(second)) == 2


def test_the_loss_of_another_handler(panicmon, tmp_path):
    record = tmp_path / "record"
    path = hooks.config(panicmon, hooks.section([hooks.recorder(tmp_path), record]),
                        plugins.section("bad", "hostile", result="3"))
    started = panicmon.start(["sleep", "1000"], config=path)
    pm.wait_until(lambda: len(hooks.runs(record)) == 2, what="handler.lost")
    started.send(signal.SIGTERM)
    started.wait()
    lost = hooks.runs(record)[1]
    assert (lost.environment["PANICMON_EVENT"], lost.environment["PANICMON_HANDLER"]) == ("handler.lost", "bad")
    assert (lost.environment["PANICMON_LOST"], lost.environment["PANICMON_DROPPED"]) == ("0", "1")


def test_a_hundred_events_one_at_a_time(panicmon, tmp_path):
    """In order, none twice, and never two programs at once."""
    out, lock = tmp_path / "out", tmp_path / "lock"
    script = hooks.program(tmp_path, f"mkdir {lock} || echo two at once >>{out}\n"
                           f"echo $PANICMON_SEQ >>{out}\nrmdir {lock}")
    started = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGUSR1), tmp_path / "taken"],
                             config=hooks.config(panicmon, hooks.section([script], stdin="none"), drain_timeout="10m"))
    started.wait_for_stdout("ready")
    for _ in range(48):
        started.send(signal.SIGRTMIN)
    started.send(signal.SIGUSR1)
    assert started.wait(10 * pm.DEADLINE).status == 0
    assert out.read_text().splitlines() == [str(i + 1) for i in range(100)]


def test_a_reader_of_json_alone(panicmon, tmp_path):
    """As in the README: jq has no need of anything else."""
    out = tmp_path / "out"
    script = hooks.program(tmp_path, f'[ "$PANICMON_EVENT" = process.exited ] || exit 0\ncat >{out}')
    panicmon.run(["sh", "-c", "kill -SEGV $$"], config=hooks.config(panicmon, hooks.section([script])))
    event = json.loads(out.read_text())
    assert (event["signal"], event["severity"]) == ("SIGSEGV", "fatal")


def test_the_host_is_clean_between_runs(panicmon, tmp_path):
    """No zombie, no descriptor left."""
    record = tmp_path / "record"
    started = panicmon.start(["sleep", "1000"], config=hooks.config(
        panicmon, hooks.section([hooks.recorder(tmp_path), record])))
    host = started.host("exec")

    def has_ended():
        """The program, and what the host has to do about that."""
        return not procfs.children(host) and procfs.state(host) == "S"
    pm.wait_until(lambda: len(hooks.runs(record)) == 1, what="the first run")
    pm.wait_until(has_ended, what="the end of it")
    before = sorted(os.listdir(f"/proc/{host}/fd"))
    for count in range(3):
        started.send(signal.SIGWINCH)
        pm.wait_until(lambda count=count: len(hooks.runs(record)) == 3 + 2 * count, what="its runs")
    pm.wait_until(has_ended, what="the end of them")
    assert sorted(os.listdir(f"/proc/{host}/fd")) == before
    started.send(signal.SIGTERM)
    started.wait()
