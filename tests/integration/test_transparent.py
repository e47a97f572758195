"""The command cannot tell that it is wrapped: what it inherits is what it would inherit without."""
import ctypes
import fcntl
import os
import platform
import resource
import signal
import struct
import subprocess
import termios

import pytest

import pm
import procfs
from terminals import on_terminal


LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_TIMERSLACK, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, PR_SET_THP_DISABLE = 29, 22, 38, 41
SECCOMP_MODE_FILTER = 2
ADDR_NO_RANDOMIZE = 0x0040000
IOPRIO_IDLE = 3 << 13
SYS_IOPRIO_SET = {"x86_64": 251, "aarch64": 30}.get(platform.machine())


def close(*descriptors):
    for fd in descriptors:
        os.close(fd)


def ignore(*numbers):
    for number in numbers:
        signal.signal(number, signal.SIG_IGN)


def block(*numbers):
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)


def limits():
    resource.setrlimit(resource.RLIMIT_NOFILE, (77, 99))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 4096))
    resource.setrlimit(resource.RLIMIT_STACK, (2 << 20, resource.RLIM_INFINITY))


def more_descriptors(*which):
    for fd in which:
        os.dup2(0, fd, inheritable=True)


def prctl(*arguments):
    if LIBC.prctl(*map(ctypes.c_ulong, arguments)) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {arguments}")


def seccomp():
    """A filter that allows everything: BPF_RET | BPF_K with SECCOMP_RET_ALLOW."""
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    code = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000))
    program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(code)))
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0)


def attributes():
    """What has no other place."""
    LIBC.personality(ADDR_NO_RANDOMIZE)
    prctl(PR_SET_TIMERSLACK, 123456, 0, 0, 0)
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if SYS_IOPRIO_SET is not None:
        LIBC.syscall(SYS_IOPRIO_SET, 1, 0, IOPRIO_IDLE)
    for name, value in (("oom_score_adj", "500"), ("coredump_filter", "0x11")):
        with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
            file.write(value)


def groups():
    if os.geteuid() == 0:
        os.setgroups([0, 7, 4711])


def everything():
    groups()
    attributes()
    seccomp()
    os.umask(0o137)
    os.nice(2)
    ignore(signal.SIGHUP, signal.SIGTSTP, signal.SIGUSR2, signal.SIGRTMAX)
    block(signal.SIGTERM, signal.SIGTTOU, signal.SIGCHLD, signal.SIGRTMIN)
    more_descriptors(*range(10, 510))
    close(0, 1)


ODDITIES = {
    "nothing odd": lambda: None,
    "ignored SIGHUP, as nohup does": lambda: ignore(signal.SIGHUP),
    "ignored SIGCHLD": lambda: ignore(signal.SIGCHLD),
    "ignored terminal signals": lambda: ignore(signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTOU, signal.SIGTTIN),
    "ignored SIGPIPE": lambda: ignore(signal.SIGPIPE),
    "ignored real-time signals": lambda: ignore(signal.SIGRTMIN, signal.SIGRTMAX),
    "blocked SIGTERM and SIGCHLD": lambda: block(signal.SIGTERM, signal.SIGCHLD, signal.SIGRTMAX),
    "all blocked": lambda: block(*signal.valid_signals()),
    "closed stdin": lambda: close(0),
    "closed stdout": lambda: close(1),
    "closed stderr": lambda: close(2),
    "closed all three": lambda: close(0, 1, 2),
    "more descriptors": lambda: more_descriptors(5, 9, 40),
    "500 more descriptors": lambda: more_descriptors(*range(10, 510)),
    "a umask": lambda: os.umask(0o137),
    "limits": limits,
    "nice": lambda: os.nice(3),
    "groups": groups,
    "a filter of system calls": seccomp,
    "attributes": attributes,
    "everything": everything,
}


def lines(path, pid):
    """What probe wrote, of a process that was started as `pid`. If that leads the session, its number is
    no difference."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    path.unlink()
    return sorted(text.replace(f"session {pid}\n", "session of its starter\n").splitlines())


def start_of(odd, where, terminal):
    """What is done before the program is executed."""
    def prepare():
        if where == "on a terminal":
            os.setsid()
            fcntl.ioctl(terminal.slave, termios.TIOCSCTTY, 0)
        if where == "in a session of its own":
            os.setsid()
        ODDITIES[odd]()
    return prepare


@pytest.mark.parametrize("odd", list(ODDITIES), ids=[name.replace(" ", "-") for name in ODDITIES])
@pytest.mark.parametrize("where, handlers", [("as we are", 0), ("in a session of its own", 2), ("on a terminal", 2),
                                             ("on a terminal", 0)])
def test_what_a_command_inherits(panicmon, terminal, tmp_path, odd, where, handlers):
    report = tmp_path / "report"
    environment = {"ODD": "a\nb", "EMPTY": "", "PATH": os.environ["PATH"]}
    config = panicmon.config("".join(panicmon.log_section(f"log{i}", tmp_path / f"log{i}") for i in range(handlers)))
    command = [pm.tool("probe"), str(report), "", "an argument"]
    how = {"preexec_fn": start_of(odd, where, terminal), "close_fds": False, "cwd": tmp_path, "stdin": subprocess.DEVNULL}

    with open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        streams = {"stdout": out, "stderr": err}
        plain = panicmon.spawn(command, env=environment, **streams, **how)
        assert plain.wait(pm.DEADLINE) == 0
        wanted = lines(report, plain.pid)
        run = panicmon.start(command, config=config, env=environment, **streams, **how)
        assert run.wait().status == 0
    assert lines(report, run.pid) == wanted
    if where != "as we are":
        assert {"foreground yes" in wanted, "terminal 0" not in wanted} == {where == "on a terminal"}
    if handlers:
        events = pm.read_events(tmp_path / "log0")
        assert pm.names(events) == ["process.started", "process.exited"]
        assert pm.read_events(tmp_path / "log1") == events


def test_the_only_difference_is_a_group_of_its_own(panicmon):
    run = panicmon.start(["sleep", "1000"])
    command = run.command()
    assert procfs.process_group(command) == command
    assert procfs.process_group(run.pid) == os.getpgrp()
    assert procfs.parent(command) == run.pid
    run.send(signal.SIGTERM)
    run.wait()


def test_nohup_holds(panicmon, terminal, tmp_path):
    """The command of `nohup panicmon` stays when the terminal goes, and what is sent is still told."""
    run = on_terminal(panicmon, terminal, ["sleep", "1000"], prefix=["nohup"], stdout=subprocess.DEVNULL)
    command = run.command()
    terminal.hang_up()
    assert run.wait_for_event("signal.passed")["signal"] == "SIGHUP"
    assert procfs.status(command)["SigIgn"][-1] == "1"
    run.send(signal.SIGHUP)
    run.wait_for_event("signal.passed", 3)  # SIGCONT was the second
    assert procfs.alive(command)
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGTERM


@pytest.mark.parametrize("group", ["new", "inherit", "session"])
def test_an_alarm_that_was_set_before(panicmon, group):
    """`perl -e 'alarm 1; exec @ARGV'` and its like: a time limit that an exec keeps (alarm(2))."""
    def prepare():
        signal.setitimer(signal.ITIMER_REAL, 0.3)
    options = [] if group == "new" else [f"process.group={group}"]
    done = panicmon.run(["sleep", "1000"], options=options, preexec_fn=prepare)
    assert done.status == -signal.SIGALRM
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]


def test_what_is_pending_before_panicmon_is_not_lost(panicmon, tmp_path):
    """Blocked and already sent when panicmon is exec'd: it is a signal like any other."""
    def prepare():
        block(signal.SIGUSR1)
        sender = os.fork()
        if sender == 0:
            os.kill(os.getppid(), signal.SIGUSR1)
            os._exit(0)
        os.waitpid(sender, 0)
    run = panicmon.start([pm.tool("sigcount"), "-n", 1, tmp_path / "taken"], preexec_fn=prepare)
    assert run.wait().status == 0
    assert (tmp_path / "taken").read_text().startswith(f"{int(signal.SIGUSR1)} 0\n")


def test_stdin_and_stdout_are_the_commands_own(panicmon):
    """Bytes go through unchanged, and the end of file comes when the command closes."""
    data = bytes(range(256)) * 4096
    folder, line = panicmon.arguments(["cat"])
    with open(folder / "stderr", "wb") as err:
        cat = panicmon.spawn(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err)
        out, _ = cat.communicate(data, timeout=pm.DEADLINE)
    assert out == data
    assert cat.returncode == 0


def test_a_reader_of_the_commands_output_sees_its_end(panicmon, tmp_path):
    """No host holds the command's stdout longer than panicmon lives."""
    folder, line = panicmon.arguments(["echo", "hello"])
    with open(folder / "stderr", "wb") as err:
        echo = panicmon.spawn(line, stdout=subprocess.PIPE, stderr=err)
        assert echo.stdout.read() == b"hello\n"
    assert echo.wait(pm.DEADLINE) == 0


def test_a_descriptor_of_the_commands_is_held_by_no_host(panicmon, tmp_path):
    """A pipe that the command closes is at its end, though hosts live on."""
    read_end, write_end = os.pipe()
    run = panicmon.start(["sh", "-c", f"exec {write_end}>&-; exec sleep 1000"], pass_fds=[write_end])
    os.close(write_end)
    run.wait_for_event("process.started")
    # panicmon itself still has it, as its own parent gave it; the hosts do not.
    assert all(str(write_end) not in os.listdir(f"/proc/{pid}/fd") for pid in run.hosts().values())
    run.send(signal.SIGTERM)
    run.wait()
    assert os.read(read_end, 1) == b""
    os.close(read_end)
