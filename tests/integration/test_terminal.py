"""On a terminal: the command is in the foreground, and job control works as without panicmon."""
import fcntl
import os
import pty
import signal
import struct
import termios
import threading

import pytest

import pm
import procfs


class Terminal:
    """A pty with what came out of it so far. The slave is for a child's stdin, stdout and stderr."""

    def __init__(self):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 200, 0, 0))
        self.text = ""
        # Reads on its own, or who writes there would be held up.
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:
                return
            self.text += data.decode(errors="replace")

    def type(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, text, count=1, deadline=pm.DEADLINE):
        pm.wait_until(lambda: self.text.count(text) >= count, deadline, lambda: f"{text!r} in {self.text!r}")

    def foreground(self):
        """The process group that has the terminal."""
        return struct.unpack("i", fcntl.ioctl(self.master, termios.TIOCGPGRP, b"\0" * 4))[0]


@pytest.fixture
def terminal():
    return Terminal()


def on_terminal(panicmon, terminal, command, **arguments):
    """panicmon as the leader of a session that has the terminal."""
    def prepare():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    arguments.setdefault("stdout", terminal.slave)
    arguments.setdefault("stderr", terminal.slave)
    return panicmon.start(command, stdin=terminal.slave, preexec_fn=prepare, **arguments)


def taken(path):
    return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("end")]


@pytest.mark.parametrize("key, number", [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_a_key_reaches_the_command_once(panicmon, terminal, tmp_path, key, number):
    run = on_terminal(panicmon, terminal, [pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"])
    terminal.wait_for("ready")
    pm.wait_until(lambda: terminal.foreground() == run.command(), what="the foreground")
    for count in range(1, 4):
        terminal.type(key)
        pm.wait_until(lambda: len(taken(tmp_path / "taken")) >= count, what="the signal")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert taken(tmp_path / "taken") == [str(int(number))] * 3 + [str(int(signal.SIGTERM))]
    # The kernel sent it to the command's group, past panicmon.
    assert [event["signal"] for event in done.events if event["event"] == "signal.received"] == ["SIGTERM"]


def test_ctrl_c_ends_the_command_and_panicmon_by_sigint(panicmon, terminal):
    run = on_terminal(panicmon, terminal, ["sleep", "1000"])
    command = run.command()
    pm.wait_until(lambda: terminal.foreground() == command, what="the foreground")
    terminal.type("\x03")
    done = run.wait()
    assert done.status == -signal.SIGINT
    assert (done.events[-1]["signal"], done.events[-1]["code"]) == ("SIGINT", -1)


def test_with_all_three_redirected_ctrl_c_still_reaches_it(panicmon, terminal, tmp_path):
    def prepare():
        os.setsid()
        fcntl.ioctl(terminal.slave, termios.TIOCSCTTY, 0)
    run = panicmon.start(["sleep", "1000"], preexec_fn=prepare, pass_fds=[terminal.slave])
    command = run.command()
    pm.wait_until(lambda: terminal.foreground() == command, what="the foreground")
    terminal.type("\x03")
    assert run.wait().status == -signal.SIGINT


def test_a_command_in_an_orphaned_session_cannot_be_stopped_for_ever(panicmon, terminal):
    """Nobody could continue panicmon, so the kernel does not stop it, nor may the command stay so."""
    run = on_terminal(panicmon, terminal, ["sleep", "1000"])
    command = run.command()
    pm.wait_until(lambda: terminal.foreground() == command, what="the foreground")
    terminal.type("\x1a")
    # What follows the stop: it runs again and has the terminal, so that it hears Ctrl-C.
    pm.wait_until(lambda: procfs.state(command) == "S" and terminal.foreground() == command, what="the command to go on")
    terminal.type("\x03")
    assert run.wait().status == -signal.SIGINT


@pytest.fixture
def shell(panicmon, terminal):
    """An interactive shell on the terminal, with job control."""
    def prepare():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    popen = panicmon.spawn(["bash", "--norc", "--noprofile", "-i"], stdin=terminal.slave, stdout=terminal.slave,
                           stderr=terminal.slave, preexec_fn=prepare,
                           env={"PS1": "PROMPT> ", "HISTFILE": "", "TERM": "dumb", "INPUTRC": "/dev/null"})
    terminal.wait_for("PROMPT> ")
    yield popen
    popen.kill()
    popen.wait(pm.DEADLINE)


def command_line(panicmon, command, **arguments):
    _, line = panicmon.arguments(command, **arguments)
    return " ".join("'" + str(word).replace("'", "'\\''") + "'" for word in line)


def only_child(pid):
    def found():
        children = [child for child in procfs.children(pid) if procfs.alive(child)]
        return children[0] if len(children) == 1 else None
    return pm.wait_until(found, what="one child")


def test_the_terminal_goes_back_at_the_end(panicmon, terminal, shell):
    terminal.type(command_line(panicmon, ["sh", "-c", "echo it runs; exit 3"]) + "; echo status=$?\n")
    terminal.wait_for("status=3")
    pm.wait_until(lambda: terminal.foreground() == shell.pid, what="the shell's foreground")
    terminal.type("echo still $((20+3))\n")
    terminal.wait_for("still 23")


def start_job(panicmon, terminal, shell, command, events=False):
    terminal.type(command_line(panicmon, command, events=events) + "\n")
    monitor = only_child(shell.pid)
    return monitor, pm.wait_until(lambda: [
        pid for pid in procfs.children(monitor) if procfs.exe(pid) not in (None, procfs.exe(monitor))] or None,
        what="the command")[0]


def test_ctrl_z_and_fg(panicmon, terminal, shell):
    """cat, that echoes lines, is stopped together with panicmon, and both go on with fg."""
    monitor, command = start_job(panicmon, terminal, shell, ["cat"])
    pm.wait_until(lambda: terminal.foreground() == command, what="the foreground")
    terminal.type("first line\n")
    terminal.wait_for("first line", 2)
    for times in (1, 2):
        terminal.type("\x1a")
        terminal.wait_for("Stopped", times)
        assert procfs.state(command) == "T" and procfs.state(monitor) == "T"
        assert terminal.foreground() == shell.pid
        terminal.type("fg\n")
        pm.wait_until(lambda: procfs.state(command) == "S" and procfs.state(monitor) == "S" and
                      terminal.foreground() == command, what="both to go on")
        terminal.type(f"line {times} again\n")
        terminal.wait_for(f"line {times} again", 2)
    terminal.type("\x04")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo status=$?\n")
    terminal.wait_for("status=0")


def test_ctrl_z_and_fg_with_a_command_of_several_processes(panicmon, terminal, shell):
    """The whole foreground group was stopped, so the whole group has to go on."""
    monitor, command = start_job(panicmon, terminal, shell, ["sh", "-c", "cat; echo cat has ended; exit 4"])
    cat = only_child(command)
    pm.wait_until(lambda: terminal.foreground() == command, what="the foreground")
    terminal.type("\x1a")
    terminal.wait_for("Stopped")
    assert procfs.state(cat) == "T"
    terminal.type("fg\n")
    pm.wait_until(lambda: procfs.state(command) == "S" and procfs.state(monitor) == "S", what="both to go on")
    terminal.type("a line\n")
    terminal.wait_for("a line", 2, deadline=15)
    terminal.type("\x04")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo status=$?\n")
    terminal.wait_for("status=4")


def test_ctrl_z_and_bg(panicmon, terminal, shell):
    monitor, command = start_job(panicmon, terminal, shell, ["sleep", "1000"])
    pm.wait_until(lambda: terminal.foreground() == command, what="the foreground")
    terminal.type("\x1a")
    terminal.wait_for("Stopped")
    terminal.type("bg\n")
    pm.wait_until(lambda: procfs.state(command) == "S" and procfs.state(monitor) == "S", what="both to go on")
    terminal.type("echo still $((20+3))\n")
    terminal.wait_for("still 23")
    assert terminal.foreground() == shell.pid
    terminal.type("kill %1\n")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")


def test_ctrl_c_at_a_shells_job(panicmon, terminal, shell):
    """bash sees the death by SIGINT: it says so by its status, and the line ends."""
    monitor, command = start_job(panicmon, terminal, shell, ["sleep", "1000"])
    pm.wait_until(lambda: terminal.foreground() == command, what="the foreground")
    terminal.type("\x03")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo was=$?\n")
    terminal.wait_for("was=130")


def test_in_the_background_it_does_not_take_the_terminal(panicmon, terminal, shell):
    terminal.type(command_line(panicmon, ["sleep", "1000"], events=False) + " &\n")
    monitor = only_child(shell.pid)
    pm.wait_until(lambda: [pid for pid in procfs.children(monitor) if procfs.comm(pid) == "sleep"], what="the command")
    terminal.type("echo still $((20+3))\n")
    terminal.wait_for("still 23")
    assert terminal.foreground() == shell.pid
    terminal.type("kill %1\n")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
