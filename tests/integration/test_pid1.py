"""As the first process of a pid namespace, as in a container."""
import os
import shutil
import signal

import pytest

import pm
import procfs
from terminals import on_terminal

pytestmark = pytest.mark.skipif(not pm.can_unshare(), reason="no new pid namespace here")


def test_it_is_the_first_process(panicmon):
    done = panicmon.run(["sh", "-c", "echo $PPID; exit 3"], prefix=pm.UNSHARE)
    assert (done.status, done.stdout) == (3, "1\n")
    assert done.names == ["process.started", "process.exited"]


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_death_by_a_signal_is_128_and_its_number(panicmon, number):
    """The first process cannot kill itself."""
    done = panicmon.run(["sh", "-c", f"kill -{int(number)} $$"], prefix=pm.UNSHARE)
    assert done.status == 128 + number
    assert (done.events[-1]["code"], done.events[-1]["status"]) == (-1, 128 + number)


def test_term_from_outside_reaches_the_command(panicmon, tmp_path):
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"], prefix=pm.UNSHARE)
    run.wait_for_stdout("ready")
    first = run.first_process()
    for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM):
        os.kill(first, number)
        pm.wait_until(lambda: f"{int(number)} 0\n" in (tmp_path / "taken").read_text(), what="the signal")
    done = run.wait()
    assert done.status == 0
    received = [event for event in done.events if event["event"] == "signal.received"]
    assert [event["signal"] for event in received] == ["SIGHUP", "SIGUSR1", "SIGTERM"]
    assert {event["sender_pid"] for event in received} == {0}  # outside of the namespace


# Leaves orphans behind that end at once, and waits until none is left as a zombie.
ORPHANS = """
import os, time
for _ in range(50):
    pid = os.fork()
    if pid == 0:
        if os.fork() != 0:
            os._exit(0)
        os._exit(0)
    os.waitpid(pid, 0)
end = time.monotonic() + 60
def left():
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if open(f"/proc/{name}/stat").read().rpartition(")")[2].split()[0] == "Z":
                found.append(name)
        except OSError:
            pass
    return found
while left() and time.monotonic() < end:
    time.sleep(0.01)
print("zombies", len(left()))
"""


def test_orphans_are_reaped(panicmon):
    done = panicmon.run([shutil.which("python3"), "-S", "-c", ORPHANS], prefix=pm.UNSHARE)
    assert (done.status, done.stdout) == (0, "zombies 0\n")
    assert done.names == ["process.started", "process.exited"]


def test_the_end_of_an_orphan_is_not_the_end(panicmon):
    """The command's status is its own, whoever else ends in between."""
    done = panicmon.run(["sh", "-c", "(exit 9 & ); (sh -c 'exit 8' &); sleep 0.1; exit 3"], prefix=pm.UNSHARE)
    assert done.status == 3
    assert done.names == ["process.started", "process.exited"]


def test_what_the_command_leaves_behind_ends_with_the_namespace(panicmon):
    done = panicmon.run(["sh", "-c", "sleep 1000 & exit 3"], prefix=pm.UNSHARE)
    assert done.status == 3


def test_ctrl_c_on_a_terminal_reaches_it_once(panicmon, terminal, tmp_path):
    """As in `docker run -it`."""
    run = on_terminal(panicmon, terminal, [pm.tool("sigcount"), "-n", 2, tmp_path / "taken"], prefix=pm.UNSHARE)
    terminal.wait_for("ready")
    for count in (1, 2):
        terminal.type("\x03")
        pm.wait_until(lambda: len(pm.taken(tmp_path / "taken")) >= count, what="the signal")
    assert run.wait().status == 0
    assert pm.numbers_taken(tmp_path / "taken") == [signal.SIGINT] * 2


def test_killed_from_outside_nothing_is_left(panicmon, tmp_path):
    run = panicmon.start(["sleep", "1000"], prefix=pm.UNSHARE)
    first = run.first_process()
    pm.wait_until(lambda: "process.started" in pm.names(run.events), what="the start")
    tree = procfs.descendants(first)
    os.kill(first, signal.SIGKILL)
    run.wait()  # unshare's own idea of it
    pm.wait_until(lambda: not procfs.living(tree), what="all to end")
