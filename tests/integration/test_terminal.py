"""On a terminal: the command is in the foreground, and job control works as without panicmon."""
import fcntl
import os
import signal
import termios

import pytest

import pm
import procfs
from terminals import command_line, on_terminal, only_child, start_job


@pytest.mark.parametrize("key, number", [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_a_key_reaches_the_command_once(panicmon, terminal, tmp_path, key, number):
    run = on_terminal(panicmon, terminal, [pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"])
    terminal.wait_for("ready")
    terminal.wait_for_foreground(run.command())
    for count in range(1, 4):
        terminal.type(key)
        pm.wait_until(lambda: len(pm.taken(tmp_path / "taken")) >= count, what="the signal")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert pm.numbers_taken(tmp_path / "taken") == [number] * 3 + [signal.SIGTERM]
    # The kernel sent it to the command's group, past panicmon.
    assert [event["signal"] for event in done.events if event["event"] == "signal.received"] == ["SIGTERM"]


def test_ctrl_c_ends_the_command_and_panicmon_by_sigint(panicmon, terminal):
    run = on_terminal(panicmon, terminal, ["sleep", "1000"])
    command = run.command()
    terminal.wait_for_foreground(command)
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
    terminal.wait_for_foreground(command)
    terminal.type("\x03")
    assert run.wait().status == -signal.SIGINT


def test_a_command_in_an_orphaned_session_cannot_be_stopped_for_ever(panicmon, terminal):
    """Nobody could continue panicmon, so the kernel does not stop it, nor may the command stay so."""
    run = on_terminal(panicmon, terminal, ["sleep", "1000"])
    command = run.command()
    terminal.wait_for_foreground(command)
    terminal.type("\x1a")
    # What follows the stop: it runs again and has the terminal, so that it hears Ctrl-C.
    pm.wait_until(lambda: procfs.state(command) == "S" and terminal.foreground() == command, what="the command to go on")
    terminal.type("\x03")
    assert run.wait().status == -signal.SIGINT


def test_the_terminal_goes_back_at_the_end(panicmon, terminal, shell):
    terminal.type(command_line(panicmon, ["sh", "-c", "echo it runs; exit 3"]) + "; echo status=$?\n")
    terminal.wait_for("status=3")
    terminal.wait_for_foreground(shell.pid)
    terminal.type("echo still $((20+3))\n")
    terminal.wait_for("still 23")


def test_ctrl_z_and_fg(panicmon, terminal, shell):
    """cat, that echoes lines, is stopped together with panicmon, and both go on with fg."""
    monitor, command = start_job(panicmon, terminal, shell, ["cat"])
    terminal.wait_for_foreground(command)
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
    terminal.wait_for_foreground(command)
    terminal.type("\x1a")
    terminal.wait_for("Stopped")
    pm.wait_until(lambda: procfs.state(cat) == "T", what="cat to stop")
    terminal.type("fg\n")
    pm.wait_until(lambda: procfs.state(command) == "S" and procfs.state(monitor) == "S", what="both to go on")
    terminal.type("a line\n")
    terminal.wait_for("a line", 2)
    terminal.type("\x04")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo status=$?\n")
    terminal.wait_for("status=4")


def test_ctrl_z_and_bg(panicmon, terminal, shell):
    monitor, command = start_job(panicmon, terminal, shell, ["sleep", "1000"])
    terminal.wait_for_foreground(command)
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
    terminal.wait_for_foreground(command)
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
