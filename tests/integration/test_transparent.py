"""The command cannot tell that it is wrapped: what it inherits is what it would inherit without."""
import os
import resource
import signal
import subprocess

import pytest

import pm


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


def more_descriptors():
    for fd in (5, 9, 40):
        os.dup2(0, fd, inheritable=True)


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
    "more descriptors": more_descriptors,
    "a umask": lambda: os.umask(0o137),
    "limits": limits,
    "nice": lambda: os.nice(3),
    "a session of its own": os.setsid,
}


def lines(path):
    """What probe wrote. Its own pid does not count, and the session is its starter's or its own."""
    return sorted(path.read_text(encoding="utf-8", errors="surrogateescape").splitlines())


@pytest.mark.parametrize("odd", list(ODDITIES), ids=[name.replace(" ", "-") for name in ODDITIES])
@pytest.mark.parametrize("handlers", [0, 2])
def test_what_a_command_inherits(panicmon, tmp_path, odd, handlers):
    report = tmp_path / "report"
    environment = {"ODD": "a\nb", "EMPTY": "", "PATH": os.environ["PATH"]}
    config = panicmon.config("".join(panicmon.log_section(f"log{i}", tmp_path / f"log{i}") for i in range(handlers)))
    command = [pm.tool("probe"), str(report), "", "an argument"]

    def prepare():
        if odd == "a session of its own":
            return  # start_new_session does it
        ODDITIES[odd]()
    how = {"preexec_fn": prepare, "close_fds": False, "cwd": tmp_path, "stdin": subprocess.DEVNULL,
           "start_new_session": odd == "a session of its own"}

    with open(tmp_path / "out", "wb") as out, open(tmp_path / "err", "wb") as err:
        streams = {"stdout": out, "stderr": err}
        plain = panicmon.spawn(command, env=environment, **streams, **how)
        assert plain.wait(pm.DEADLINE) == 0
        wanted = lines(report)
        report.unlink()
        assert panicmon.run(command, config=config, env=environment, **streams, **how).status == 0
    found = lines(report)
    if odd == "a session of its own":
        wanted, found = ([line for line in some if not line.startswith("session ")] for some in (wanted, found))
    assert found == wanted
    if handlers:
        events = pm.read_events(tmp_path / "log0")
        assert pm.names(events) == ["process.started", "process.exited"]
        assert pm.read_events(tmp_path / "log1") == events


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
