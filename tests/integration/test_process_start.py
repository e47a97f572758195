"""[process] stdout, stderr, env.NAME, clear_env and directory: what the command starts with."""
import os
import shutil
import signal
import socket
import stat

import pytest

import pm
import procfs

TALK = ["sh", "-c", "echo to stdout; echo to stderr >&2"]


@pytest.fixture
def with_process(panicmon, tmp_path):
    """A config with these lines in [process], which begins at line 2."""
    def write(*lines):
        return panicmon.config("\n".join(["; a comment", "[process]", *lines, ""]) +
                               panicmon.log_section("log", tmp_path / "log"))
    return write


def test_output_to_nowhere(panicmon):
    done = panicmon.run(TALK, options=["process.stdout=null"])
    assert (done.status, done.stdout, done.stderr) == (0, "", "to stderr\n")
    done = panicmon.run(TALK, options=["process.stderr=null"])
    assert (done.status, done.stdout, done.stderr) == (0, "to stdout\n", "")
    done = panicmon.run(TALK, options=["process.stderr=inherit", "process.stdout=inherit"])
    assert (done.status, done.stdout, done.stderr) == (0, "to stdout\n", "to stderr\n")


def test_nowhere_is_dev_null_and_only_for_the_command(panicmon):
    run = panicmon.start(["sleep", "1000"], options=["process.stdout=null", "process.stderr=null"])
    command = run.command()
    assert procfs.descriptors(command) == {0: "/dev/null", 1: "/dev/null", 2: "/dev/null"}
    assert procfs.descriptors(run.pid)[1] == str(run.folder / "stdout")
    run.send(signal.SIGTERM)
    run.wait()


def test_output_is_appended(panicmon, tmp_path):
    out, err = tmp_path / "out", tmp_path / "err"
    out.write_text("from before\n")
    options = [f"process.stdout=append:{out}", f"process.stderr=append:{err}"]
    for _ in range(2):
        done = panicmon.run(TALK, options=options)
        assert (done.status, done.stdout, done.stderr) == (0, "", "")
    assert out.read_text() == "from before\nto stdout\nto stdout\n"
    assert err.read_text() == "to stderr\nto stderr\n"


def test_both_to_one_file(panicmon, tmp_path):
    both = tmp_path / "both"
    command = ["sh", "-c", "for i in 1 2 3; do echo out $i; echo err $i >&2; done"]
    done = panicmon.run(command, options=[f"process.stdout=append:{both}", f"process.stderr=append:{both}"])
    assert done.status == 0
    assert both.read_text() == "".join(f"out {i}\nerr {i}\n" for i in (1, 2, 3))


def test_the_umask_applies(panicmon, tmp_path):
    path = tmp_path / "out"
    assert panicmon.run(TALK, options=[f"process.stdout=append:{path}"], preexec_fn=lambda: os.umask(0o027)).status == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_where_panicmon_has_none_of_its_own(panicmon, tmp_path, closed):
    """What panicmon opens gets the free numbers, and must not be taken for the command's."""
    def prepare():
        for fd in closed:
            os.close(fd)
    out, err = tmp_path / "out", tmp_path / "err"
    done = panicmon.run(TALK, options=[f"process.stdout=append:{out}", f"process.stderr=append:{err}"], preexec_fn=prepare)
    assert done.status == 0
    assert (out.read_text(), err.read_text()) == ("to stdout\n", "to stderr\n")
    report = tmp_path / "report"
    done = panicmon.run([pm.tool("probe"), report], options=[f"process.stdout=append:{out}"], preexec_fn=prepare)
    assert done.status == 0
    numbers = {int(line.split()[1]) for line in report.read_text().splitlines() if line.startswith("fd ")}
    assert numbers == {0, 1, 2} - set(closed) | {1}


@pytest.mark.parametrize("key", ["stdout", "stderr"])
@pytest.mark.parametrize("path, why", [
    ("/no/such/folder/out", "No such file or directory"), ("/", "Is a directory"), ("/etc/passwd/x", "Not a directory")])
def test_a_file_that_cannot_be_opened(panicmon, with_process, tmp_path, key, path, why):
    config = with_process("signals = all", f"{key} = append:{path}")
    done = panicmon.run(["touch", tmp_path / "touched"], config=config)
    assert done.status == 125
    assert f"{config}:4: " in done.stderr and key in done.stderr and path in done.stderr and why in done.stderr
    assert not (tmp_path / "touched").exists()
    assert pm.names(pm.read_events(tmp_path / "log")) == []


def test_a_fifo_that_nobody_reads_holds_nobody_up(panicmon, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    done = panicmon.run(TALK, options=[f"process.stdout=append:{tmp_path / 'fifo'}"], deadline=30)
    assert done.status == 125
    assert "No such device or address" in done.stderr


def test_messages_of_panicmon_stay_on_its_own_stderr(panicmon):
    done = panicmon.run(["/no/such"], options=["process.stderr=null"])
    assert done.stderr == "panicmon: cannot run '/no/such': No such file or directory\n"


# ---- the environment ----

def environment_of(stdout):
    return dict(line.split("=", 1) for line in stdout.splitlines())


def test_variables_are_added_and_replaced(panicmon, with_process):
    config = with_process("env.NEW = a value = with; more #", "env.OLD = other", "env.EMPTY =")
    done = panicmon.run(["env"], config=config, env={"OLD": "old", "KEPT": "kept"})
    found = environment_of(done.stdout)
    assert {name: found.get(name) for name in ("NEW", "OLD", "EMPTY", "KEPT")} == {
        "NEW": "a value = with; more #", "OLD": "other", "EMPTY": "", "KEPT": "kept"}
    assert done.stdout.count("OLD=") == 1
    assert "PANICMON_INSTANCE" not in found


def test_an_option_adds_one(panicmon):
    done = panicmon.run(["env"], options=["process.env.NEW=a=b.c"])
    assert environment_of(done.stdout)["NEW"] == "a=b.c"


def test_a_cleared_one_holds_nothing_else(panicmon, with_process):
    config = with_process("clear_env = yes", "env.A = 1", "env.B =")
    done = panicmon.run([shutil.which("env")], config=config, env={"LISTEN_PID": "1", "NOTIFY_SOCKET": "/x"})
    assert sorted(done.stdout.splitlines()) == ["A=1", "B="]


def test_the_command_is_looked_up_in_the_path_that_it_gets(panicmon, tmp_path):
    program = tmp_path / "only-here"
    program.write_text("#!/bin/sh\necho found\n", encoding="utf-8")
    program.chmod(0o755)
    done = panicmon.run(["only-here"], options=[f"process.env.PATH={tmp_path}:/usr/bin:/bin"])
    assert (done.status, done.stdout) == (0, "found\n")
    done = panicmon.run(["only-here"], options=["process.clear_env=yes"], env={"PATH": f"{tmp_path}:/usr/bin:/bin"})
    assert (done.status, done.names) == (127, ["process.started", "process.failed"])


@pytest.mark.parametrize("name", ["LISTEN_PID", "WATCHDOG_PID"])
@pytest.mark.parametrize("other", ["1", "999999999", "", "12x", "-1"])
def test_what_is_not_panicmons_pid_stays(panicmon, name, other):
    done = panicmon.run(["env"], env={name: other, "LISTEN_FDS": "2"})
    assert environment_of(done.stdout)[name] == other
    assert environment_of(done.stdout)["LISTEN_FDS"] == "2"


# Becomes panicmon by exec, as a service manager does it.
OWN_PID = 'export LISTEN_PID=$$ WATCHDOG_PID=$$ LISTEN_PIDFDID=7; exec "$@"'


@pytest.mark.parametrize("options, count", [([], 1), (["process.env.NEW=1"], 1), (["process.instances=2"], 2)])
def test_what_is_panicmons_pid_becomes_the_commands(panicmon, options, count):
    done = panicmon.run(["sh", "-c", 'echo $$ $LISTEN_PID $WATCHDOG_PID ${LISTEN_PIDFDID-unset}'], options=options,
                        prefix=["sh", "-c", OWN_PID, "sh"], env={"WATCHDOG_USEC": "1"})
    assert len(set(done.stdout.splitlines())) == count
    for line in done.stdout.splitlines():
        pid, listen, watchdog, pidfd = line.split()
        assert pid == listen == watchdog and pidfd == "unset"


def test_one_that_was_set_on_purpose_wins(panicmon):
    done = panicmon.run(["sh", "-c", "echo $LISTEN_PID"], options=["process.env.LISTEN_PID=5"],
                        prefix=["sh", "-c", OWN_PID, "sh"])
    assert done.stdout == "5\n"


def test_nobody_is_notified_unasked(panicmon, tmp_path):
    """A socket that does not exist would be an error."""
    done = panicmon.run(["sh", "-c", "echo $NOTIFY_SOCKET"], env={"NOTIFY_SOCKET": str(tmp_path / "none")})
    assert (done.status, done.stderr, done.stdout) == (0, "", f"{tmp_path / 'none'}\n")


@pytest.mark.parametrize("name", ["/no/such/socket", "relative", "/" + "x" * 200, "vsock:2:1234"])
def test_a_manager_that_cannot_be_told_is_no_reason_to_fail(panicmon, name):
    done = panicmon.run(["sh", "-c", "exit 5"], options=["process.notify_mainpid=yes"], env={"NOTIFY_SOCKET": name})
    assert done.status == 5
    assert done.stderr.startswith("panicmon: notify_mainpid: ") and done.stderr.count("\n") == 1


def test_a_manager_that_does_not_listen_holds_nobody_up(panicmon, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        manager.bind(str(tmp_path / "notify"))
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                other.sendto(b"x", str(tmp_path / "notify"))
        done = panicmon.run(["sh", "-c", "exit 5"], options=["process.notify_mainpid=yes"],
                            env={"NOTIFY_SOCKET": str(tmp_path / "notify")}, deadline=30)
    assert done.status == 5 and "panicmon: notify_mainpid: " in done.stderr


def test_without_a_manager_there_is_nothing_to_tell(panicmon):
    done = panicmon.run(["sh", "-c", "exit 5"], options=["process.notify_mainpid=yes"])
    assert (done.status, done.stderr) == (5, "")


# ---- the folder ----

def test_the_folder(panicmon, tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    done = panicmon.run(["pwd", "-P"], options=[f"process.directory={tmp_path}/a"])
    assert done.stdout == f"{tmp_path.resolve()}/a\n"
    done = panicmon.run(["pwd", "-P"], options=["process.directory=a/b"], cwd=tmp_path)
    assert done.stdout == f"{tmp_path.resolve()}/a/b\n"


def test_panicmon_itself_stays_where_it_is(panicmon, tmp_path):
    """Its file names, and those of its handlers, are relative to where it was started."""
    config = panicmon.config(panicmon.log_section("log", "log-here"))
    (tmp_path / "elsewhere").mkdir()
    run = panicmon.start(["sleep", "1000"], config=config, options=["process.directory=elsewhere"], cwd=tmp_path)
    command = run.command()
    assert os.readlink(f"/proc/{command}/cwd") == f"{tmp_path.resolve()}/elsewhere"
    assert os.readlink(f"/proc/{run.pid}/cwd") == str(tmp_path.resolve())
    run.send(signal.SIGTERM)
    run.wait()
    assert pm.names(pm.read_events(tmp_path / "log-here"))[-1] == "process.exited"


def test_a_command_with_a_slash_is_relative_to_the_folder(panicmon, tmp_path):
    """As after `cd`."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "program"
    program.write_text("#!/bin/sh\necho found\n", encoding="utf-8")
    program.chmod(0o755)
    done = panicmon.run(["./program"], options=[f"process.directory={tmp_path}/bin"])
    assert (done.status, done.stdout) == (0, "found\n")


@pytest.mark.parametrize("path, why", [("/no/such", "No such file or directory"), ("/etc/passwd", "Not a directory")])
def test_a_folder_that_is_not_there(panicmon, with_process, path, why):
    config = with_process("", "", f"directory = {path}")
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert f"{config}:5: " in done.stderr and "directory" in done.stderr and path in done.stderr and why in done.stderr


def test_a_folder_that_may_not_be_entered(panicmon, tmp_path):
    if os.geteuid() == 0:
        pytest.skip("root may enter any")
    (tmp_path / "closed").mkdir(mode=0o600)
    done = panicmon.run(["true"], options=[f"process.directory={tmp_path}/closed"])
    assert done.status in (125, 126) and "Permission denied" in done.stderr
