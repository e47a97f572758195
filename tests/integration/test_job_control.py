"""Stops, shells and window sizes: on a terminal all is as without panicmon, in every kind of group."""
import os
import shutil
import signal

import pytest

import pm
import procfs
from terminals import command_line, on_terminal, only_child, start_job

GROUPS = ["new", "inherit"]
PYTHON = [shutil.which("python3"), "-S", "-c"]


def grouped(group, *options):
    return {"options": [f"process.group={group}", *options]}


def both_go_on(terminal, monitor, command, group):
    def all_well():
        return procfs.state(command) == "S" and procfs.state(monitor) == "S" and terminal.foreground() == group
    pm.wait_until(all_well, what="both to go on")


def both_stopped(terminal, shell, monitor, command):
    """And the shell has the terminal."""
    def all_well():
        return procfs.state(command) == "T" and procfs.state(monitor) == "T" and terminal.foreground() == shell.pid
    pm.wait_until(all_well, what="both to stop")


@pytest.mark.parametrize("key, number", [("\x03", signal.SIGINT), ("\x1c", signal.SIGQUIT)])
def test_a_key_reaches_a_shared_group_once(panicmon, terminal, tmp_path, key, number):
    """From the kernel; panicmon, which gets it too, tells of it but does not send it again."""
    run = on_terminal(panicmon, terminal, [pm.tool("sigcount"), "-q", 15, tmp_path / "taken"], **grouped("inherit"))
    terminal.wait_for("ready")
    assert terminal.foreground() == run.pid == procfs.process_group(run.command())
    for count in range(1, 4):
        terminal.type(key)
        pm.wait_until(lambda: len(pm.taken(tmp_path / "taken")) >= count, what="the signal")
        # Two that are pending are one: panicmon, too, must have taken it before the next.
        run.wait_for_event("signal.received", count)
    run.send(number)  # from somebody, to panicmon alone: that is passed on
    pm.wait_until(lambda: len(pm.taken(tmp_path / "taken")) == 4, what="the signal")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 0
    assert pm.numbers_taken(tmp_path / "taken") == [number] * 4 + [signal.SIGTERM]
    received = [event for event in done.events if event["event"] == "signal.received"]
    assert [event["signo"] for event in received] == [number] * 4 + [signal.SIGTERM]
    assert ["sender_pid" in event for event in received] == [False] * 3 + [True] * 2


def test_ctrl_c_of_a_shared_group_is_a_stop_that_was_asked_for(panicmon, terminal):
    run = on_terminal(panicmon, terminal, ["sleep", "1000"], **grouped("inherit"))
    run.command()
    terminal.type("\x03")
    done = run.wait()
    assert done.status == -signal.SIGINT
    exited = done.events[-1]
    assert exited["signal"] == "SIGINT"
    assert "stop_pid" not in exited  # no process has sent it


@pytest.mark.parametrize("group, count", [("new", 1), ("inherit", 1), ("session", 1), ("instances", 3)])
def test_a_new_size_of_the_window_arrives_once(panicmon, terminal, tmp_path, group, count):
    options = ["process.instances=3"] if group == "instances" else [f"process.group={group}"]
    command = ["sh", "-c", 'exec "$0" -q 15 "$1.${PANICMON_INSTANCE-1}"', pm.tool("sigcount"), tmp_path / "taken"]
    run = on_terminal(panicmon, terminal, command, options=options)
    terminal.wait_for("ready", count)
    if group == "new":
        terminal.wait_for_foreground(run.command())
    terminal.resize(50, 100)
    for i in range(1, count + 1):
        pm.wait_until(lambda: pm.taken(tmp_path / f"taken.{i}"), what="the signal")
    run.send(signal.SIGTERM)
    assert run.wait().status == 0
    for i in range(1, count + 1):
        assert pm.numbers_taken(tmp_path / f"taken.{i}") == [signal.SIGWINCH, signal.SIGTERM]


@pytest.mark.parametrize("group", GROUPS)
def test_ctrl_z_fg_and_bg(panicmon, terminal, shell, group):
    monitor, command = start_job(panicmon, terminal, shell, ["sleep", "1000"], **grouped(group))
    job = procfs.process_group(command)
    assert job == (command if group == "new" else monitor)
    terminal.wait_for_foreground(job)
    for times in (1, 2, 3):
        terminal.type("\x1a")
        terminal.wait_for("Stopped", times)
        both_stopped(terminal, shell, monitor, command)
        terminal.type(f"echo prompt $((times + {times}))\n")
        terminal.wait_for(f"prompt {times}")
        terminal.type("fg\n")
        both_go_on(terminal, monitor, command, job)
    terminal.type("\x1a")
    terminal.wait_for("Stopped", 4)
    terminal.type("bg\n")
    both_go_on(terminal, monitor, command, shell.pid)
    terminal.type("fg\n")
    # To panicmon's group, and nobody tells it: the job was running.
    pm.wait_until(lambda: terminal.foreground() in (job, monitor), what="the foreground")
    terminal.type("\x03")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo was=$?\n")
    terminal.wait_for("was=130")


@pytest.mark.parametrize("group", GROUPS)
def test_a_key_reaches_all_of_a_job_that_was_running_in_the_background(panicmon, terminal, shell, group):
    """With fg the shell gives panicmon the terminal without a word. What the keys send is for the whole
    group: sh(1) alone would wait for the end of its child."""
    terminal.type(command_line(panicmon, ["sh", "-c", "sleep 1000; echo not reached"], events=False, **grouped(group)) + " &\n")
    monitor = only_child(shell.pid)
    command = only_child(monitor)
    child = only_child(command)
    terminal.type("fg\n")
    pm.wait_until(lambda: terminal.foreground() in (command, monitor), what="the foreground")
    terminal.type("\x1a")
    both_stopped(terminal, shell, monitor, command)
    pm.wait_until(lambda: procfs.state(child) == "T", what="the child to stop")
    terminal.type("bg\n")
    pm.wait_until(lambda: {procfs.state(pid) for pid in (monitor, command, child)} == {"S"}, what="all to go on")
    terminal.type("fg\n")
    pm.wait_until(lambda: terminal.foreground() in (command, monitor), what="the foreground")
    terminal.type("\x03")
    pm.wait_until(lambda: not procfs.alive(child), what="the end of the child")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo was=$?\n")
    terminal.wait_for("was=130")


def test_ctrl_z_with_instances(panicmon, terminal, shell):
    """All stop, and then panicmon; none is left running behind the shell's back."""
    terminal.type(command_line(panicmon, ["sleep", "1000"], events=False, options=["process.instances=3"]) + "\n")
    monitor = only_child(shell.pid)

    def commands():
        found = [pid for pid in procfs.children(monitor) if procfs.comm(pid) == "sleep"]
        return found if len(found) == 3 else None
    three = pm.wait_until(commands, what="the commands")
    for times in (1, 2):
        terminal.type("\x1a")
        terminal.wait_for("Stopped", times)
        pm.wait_until(lambda: {procfs.state(pid) for pid in [*three, monitor]} == {"T"} and
                      terminal.foreground() == shell.pid, what="all to stop")
        terminal.type("fg\n")
        pm.wait_until(lambda: {procfs.state(pid) for pid in [*three, monitor]} == {"S"} and
                      terminal.foreground() == monitor, what="all to go on")
    terminal.type("\x03")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo was=$?\n")
    terminal.wait_for("was=130")


# Takes Ctrl-Z itself, tidies up, and then stops itself and its group: as nano and mutt (SIGSTOP), less and
# readline (itself, SIGTSTP), vim and emacs (the group, SIGTSTP).
EDITOR = """
import os, signal, sys
how, whom = sys.argv[1:]
def say(word):  # print() is not to be called while it is being called
    os.write(1, word.encode() + b"\\n")
def on_stop(number, frame):
    say("tidy")
    signal.signal(signal.SIGTSTP, signal.SIG_DFL)
    os.kill(0 if whom == "group" else os.getpid(), getattr(signal, how))
    signal.signal(signal.SIGTSTP, on_stop)
    say("redraw")
signal.signal(signal.SIGTSTP, on_stop)
say("edit")
while True:
    signal.pause()
"""


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("how", ["SIGSTOP", "SIGTSTP"])
@pytest.mark.parametrize("whom", ["group", "itself"])
def test_a_program_that_takes_ctrl_z_itself(panicmon, terminal, shell, group, how, whom):
    monitor, command = start_job(panicmon, terminal, shell, [*PYTHON, EDITOR, how, whom], **grouped(group))
    terminal.wait_for("edit\r")
    for times in (1, 2):
        terminal.type("\x1a")
        terminal.wait_for("tidy\r", times)
        pm.wait_until(lambda: procfs.state(command) == "T", what="the stop")
        terminal.wait_for("Stopped", times)
        both_stopped(terminal, shell, monitor, command)
        terminal.type("fg\n")
        terminal.wait_for("redraw\r", times)
        both_go_on(terminal, monitor, command, procfs.process_group(command))
    terminal.type("\x1c")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")


@pytest.mark.parametrize("group", GROUPS)
def test_who_reads_in_the_background_is_stopped_and_gets_it_with_fg(panicmon, terminal, shell, group):
    """SIGTTIN."""
    terminal.type(command_line(panicmon, ["cat"], events=False, **grouped(group)) + " &\n")
    monitor = only_child(shell.pid)
    command = pm.wait_until(lambda: [pid for pid in procfs.children(monitor) if procfs.comm(pid) == "cat"], what="cat")[0]
    both_stopped(terminal, shell, monitor, command)
    terminal.type("fg\n")
    both_go_on(terminal, monitor, command, procfs.process_group(command))
    terminal.type("some line\n")
    terminal.wait_for("some line", 2)
    terminal.type("\x04")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.wait_for_foreground(shell.pid)


@pytest.mark.parametrize("group", GROUPS)
def test_who_writes_in_the_background_is_stopped_where_that_is_set(panicmon, terminal, shell, group):
    """SIGTTOU, with stty tostop. panicmon, which may write a message itself, is not stopped by that."""
    terminal.type("stty tostop; echo it is $((1+1))\n")
    terminal.wait_for("it is 2")  # or stty(1) would be taken for panicmon
    terminal.type(command_line(panicmon, ["sh", "-c", "echo $((40+2))nd; exec sleep 1000"], events=False, **grouped(group)) + " &\n")
    monitor = only_child(shell.pid)
    command = only_child(monitor)
    both_stopped(terminal, shell, monitor, command)
    assert "42nd" not in terminal.text
    terminal.type("fg\n")
    terminal.wait_for("42nd")
    terminal.wait_for_foreground(procfs.process_group(command))
    # A shell may take SIGINT itself while its child is between fork and exec, and then not end.
    pm.wait_until(lambda: procfs.comm(command) == "sleep", what="sleep")
    terminal.type("\x03")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")


@pytest.mark.parametrize("group", GROUPS)
def test_a_shell_under_panicmon_has_job_control(panicmon, terminal, shell, group):
    inner = ["env", "PS1=INNER> ", "bash", "--norc", "--noprofile", "-i"]
    monitor, command = start_job(panicmon, terminal, shell, inner, **grouped(group))
    terminal.wait_for("INNER> ")
    assert "no job control" not in terminal.text
    terminal.type("sleep 1000\n")
    pm.wait_until(lambda: procfs.children(command), what="the job")
    job = procfs.children(command)[0]
    terminal.wait_for_foreground(job)
    terminal.type("\x1a")
    terminal.wait_for("Stopped")
    # Of the inner shell alone: neither it nor panicmon stops.
    pm.wait_until(lambda: terminal.foreground() == command, what="the inner prompt")
    pm.wait_until(lambda: procfs.state(monitor) == "S" and procfs.state(job) == "T", what="the job alone to stop")
    terminal.type("fg\n")
    pm.wait_until(lambda: procfs.state(job) == "S" and terminal.foreground() == job, what="the job to go on")
    terminal.type("\x03")
    pm.wait_until(lambda: not procfs.alive(job), what="the end of the job")
    terminal.type("suspend\n")
    terminal.wait_for("Stopped", 2)
    both_stopped(terminal, shell, monitor, command)
    terminal.type("fg\n")
    pm.wait_until(lambda: terminal.foreground() == command, what="the inner shell")
    terminal.type("exit 5\n")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    terminal.type("echo was=$?\n")
    terminal.wait_for("was=5")


def test_sigstop_from_elsewhere_stops_the_command_alone_in_the_background(panicmon, terminal, shell):
    """Somebody who looks into it, as with a debugger: that is no matter of the shell's."""
    terminal.type(command_line(panicmon, ["sleep", "1000"], events=False) + " &\n")
    monitor = only_child(shell.pid)
    command = only_child(monitor)
    pm.wait_until(lambda: procfs.comm(command) == "sleep", what="the command")
    os.kill(command, signal.SIGSTOP)
    pm.wait_until(lambda: procfs.state(command) == "T", what="the stop")
    pm.wait_until(lambda: procfs.state(monitor) == "S", what="panicmon to sleep, not stopped")
    os.kill(command, signal.SIGCONT)
    pm.wait_until(lambda: procfs.state(command) == "S", what="the end of the stop")
    os.kill(monitor, signal.SIGTERM)
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU])
def test_a_stop_signal_that_is_sent_to_panicmon_stops_both(panicmon, terminal, shell, number):
    """As `kill -TSTP %1` does: the shell is told."""
    monitor, command = start_job(panicmon, terminal, shell, ["sleep", "1000"])
    terminal.wait_for_foreground(command)
    os.kill(monitor, number)
    terminal.wait_for("Stopped")
    both_stopped(terminal, shell, monitor, command)
    terminal.type("fg\n")
    both_go_on(terminal, monitor, command, command)
    terminal.type("\x03")
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")


def test_without_a_terminal_a_stop_is_the_commands_alone(panicmon):
    """No shell is there to be told, and panicmon goes on supervising."""
    run = panicmon.start(["sleep", "1000"], start_new_session=True)
    command = run.command()
    run.send(signal.SIGTSTP)
    # Its group is orphaned (its parent is in another session), so the kernel does not stop it: POSIX.
    run.wait_for_event("signal.passed")
    os.kill(command, signal.SIGSTOP)
    pm.wait_until(lambda: procfs.state(command) == "T", what="the stop")
    pm.wait_until(lambda: procfs.state(run.pid) == "S", what="panicmon to sleep, not stopped")
    run.send(signal.SIGCONT)
    pm.wait_until(lambda: procfs.state(command) == "S", what="the end of the stop")
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGTERM


def test_the_foreground_of_others_is_left_alone(panicmon, terminal, shell):
    """Without having it: at the start, at the end, and when the command stops."""
    terminal.type(command_line(panicmon, ["sh", "-c", "kill -TSTP $$; exec sleep 1000"], events=False) + " & sleep 500\n")
    pm.wait_until(lambda: len(procfs.children(shell.pid)) == 2, what="both jobs")
    monitor, sleep = procfs.children(shell.pid)
    terminal.wait_for_foreground(sleep)
    pm.wait_until(lambda: procfs.state(monitor) == "T", what="the stop")
    assert terminal.foreground() == sleep
    os.kill(monitor, signal.SIGCONT)
    pm.wait_until(lambda: procfs.state(monitor) == "S", what="the end of the stop")
    os.kill(monitor, signal.SIGTERM)
    pm.wait_until(lambda: not procfs.alive(monitor), what="the end")
    assert terminal.foreground() == sleep
    terminal.type("\x03")
    terminal.wait_for_foreground(shell.pid)
