"""The terminal goes away: the command hears of it as it would without panicmon.

The kernel sends SIGHUP and SIGCONT to the leader of the session only. When that ends, they go to the
group that was in the foreground (tty_signal_session_leader() and disassociate_ctty() of Linux). A
shell with job control sends SIGHUP to its jobs besides.
"""
import os
import signal

import pytest

import pm
import procfs
import terminals

GROUPS = ["new", "inherit"]


class Sigcount:
    """sigcount on a terminal, with or without panicmon around it."""

    def __init__(self, panicmon, folder, group):
        self.path = folder / "taken"
        self.wrapped = group is not None
        words = [pm.tool("sigcount"), "-q", int(signal.SIGTERM), self.path]
        if self.wrapped:
            _, words = panicmon.arguments(words, events=False, options=[f"process.group={group}"])
        self.words = [str(word) for word in words]
        self.line = " ".join(f"'{word}'" for word in self.words)

    def target(self, above):
        """Whom to send the signals that it is to get; below the process `above`, or that itself."""
        name = "panicmon" if self.wrapped else "sigcount"

        def found():
            return [pid for pid in {above, *procfs.descendants(above)} if procfs.comm(pid) == name]
        return pm.wait_until(found, what=name)[0]

    def heard(self, target):
        """What it has got by now, in the order of the numbers. The marker comes last of what is pending."""
        os.kill(target, signal.SIGPWR)
        pm.wait_until(lambda: signal.SIGPWR in pm.numbers_taken(self.path), what="the marker")
        numbers = pm.numbers_taken(self.path)
        return sorted(numbers[:numbers.index(signal.SIGPWR)])


@pytest.fixture(params=[None, *GROUPS], ids=["without-panicmon", *GROUPS])
def sigcount(panicmon, request, tmp_path):
    return Sigcount(panicmon, tmp_path, request.param)


def spawn(panicmon, terminal, words):
    """Runs it as the leader of a session on the terminal."""
    popen = panicmon.spawn(words, stdin=terminal.slave, stdout=terminal.slave, stderr=terminal.slave,
                           preexec_fn=terminals.lead_session)
    terminal.wait_for("ready")
    return popen


def test_as_the_leader_of_the_session_it_gets_one(panicmon, terminal, sigcount):
    popen = spawn(panicmon, terminal, sigcount.words)
    terminal.hang_up()
    pm.wait_until(lambda: pm.taken(sigcount.path), what="the signal")
    assert sigcount.heard(popen.pid) == [signal.SIGHUP, signal.SIGCONT]
    popen.send_signal(signal.SIGTERM)
    popen.wait(pm.DEADLINE)


def test_of_a_script_that_leads_the_session_it_gets_one(panicmon, terminal, sigcount):
    """When the script has died of its own, to all of the foreground."""
    script = spawn(panicmon, terminal, ["sh", "-c", sigcount.line + "; true"])
    target = sigcount.target(script.pid)
    terminal.hang_up()
    assert script.wait(pm.DEADLINE) == -signal.SIGHUP
    assert sigcount.heard(target) == [signal.SIGHUP, signal.SIGCONT]
    os.kill(target, signal.SIGTERM)


def test_of_a_shell_it_gets_one_in_the_background(terminal, shell, sigcount):
    """From the shell alone, which sends it to the job's group. In inherit that is the command's as well, and
    panicmon cannot know; two that are pending are one."""
    terminal.type(sigcount.line + " &\n")
    terminal.wait_for("ready")
    target = sigcount.target(shell.pid)
    terminal.hang_up()
    shell.wait(pm.DEADLINE)
    heard = sigcount.heard(target)
    assert set(heard) == {signal.SIGHUP}
    assert len(heard) == 1 or "inherit" in sigcount.line
    os.kill(target, signal.SIGTERM)


def test_of_a_shell_it_gets_two_in_the_foreground(terminal, shell, sigcount):
    """From the shell, and from the kernel when the shell has ended; two that are pending are one."""
    terminal.type(sigcount.line + "\n")
    terminal.wait_for("ready")
    target = sigcount.target(shell.pid)
    terminal.hang_up()
    shell.wait(pm.DEADLINE)
    heard = sigcount.heard(target)
    assert set(heard) == {signal.SIGHUP, signal.SIGCONT} and heard.count(signal.SIGCONT) == 1
    assert heard.count(signal.SIGHUP) <= (3 if "inherit" in sigcount.line else 2)
    os.kill(target, signal.SIGTERM)


def test_in_a_session_of_its_own_it_hears_of_panicmons(panicmon, terminal, tmp_path):
    """It has no terminal that could be hung up, but panicmon has."""
    sigcount = Sigcount(panicmon, tmp_path, "session")
    popen = spawn(panicmon, terminal, sigcount.words)
    terminal.hang_up()
    pm.wait_until(lambda: pm.taken(sigcount.path), what="the signal")
    assert sigcount.heard(popen.pid) == [signal.SIGHUP, signal.SIGCONT]
    popen.send_signal(signal.SIGTERM)
    popen.wait(pm.DEADLINE)


@pytest.mark.parametrize("group", GROUPS)
def test_what_ignores_it_stays_and_panicmon_too(panicmon, terminal, group):
    run = terminals.on_terminal(panicmon, terminal, ["sh", "-c", "trap '' HUP; echo ready; sleep 1000; true"],
                                options=[f"process.group={group}"])
    terminal.wait_for("ready")
    command = run.command()
    terminal.hang_up()
    assert run.wait_for_event("signal.passed")["signal"] == "SIGHUP"
    assert procfs.alive(command) and run.popen.poll() is None
    run.kill()


@pytest.mark.parametrize("group", GROUPS)
def test_the_start_and_the_end_on_a_terminal_hang_up_nobody(panicmon, terminal, tmp_path, group):
    """Who detaches from the terminal (TIOCNOTTY) as its session's leader has SIGHUP and SIGCONT sent to the
    foreground group."""
    sigcount = Sigcount(panicmon, tmp_path, group)
    popen = spawn(panicmon, terminal, sigcount.words)
    assert sigcount.heard(popen.pid) == []
    popen.send_signal(signal.SIGTERM)
    popen.wait(pm.DEADLINE)
    assert pm.numbers_taken(sigcount.path) == [signal.SIGPWR, signal.SIGTERM]
