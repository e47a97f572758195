"""What the command leaves behind: orphans, as PID 1 and as the subreaper, and the rest of a session."""
import os
import shutil
import signal

import pytest

import pm
import procfs
from terminals import on_terminal

# How panicmon comes to get the orphans of its command.
WAYS = [
    pytest.param({"prefix": pm.UNSHARE}, id="as-PID-1",
                 marks=pytest.mark.skipif(not pm.can_unshare(), reason="no new pid namespace here")),
    pytest.param({"options": ["process.subreaper=yes"]}, id="as-the-subreaper"),
]


def way_with(way, *options):
    return {**way, "options": [*way.get("options", []), *options]}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("status", [0, 3])
def test_1000_orphans_are_reaped(panicmon, way, status):
    """All of them end in one moment, and some with the command."""
    done = panicmon.run([pm.tool("orphans"), 1000, status], **way)
    assert (done.status, done.stdout) == (status, "left 0\n")
    assert done.names == ["process.started", "process.exited"]


def test_without_either_they_are_not_panicmons(panicmon):
    """They go where they would go without panicmon, which here is this process."""
    run = panicmon.start(["sh", "-c", "(sleep 1000 & echo $!); read x"], stdin=-1)
    run.wait_for_stdout("\n")
    orphan = int(run.stdout)
    pm.wait_until(lambda: procfs.parent(orphan) == os.getpid(), what="the orphan to come")
    os.kill(orphan, signal.SIGKILL)
    run.send(signal.SIGTERM)
    run.wait()


def test_as_the_subreaper_they_are(panicmon):
    run = panicmon.start(["sh", "-c", "(sleep 1000 & echo $!); read x"], stdin=-1, options=["process.subreaper=yes"])
    run.wait_for_stdout("\n")
    orphan = int(run.stdout)
    pm.wait_until(lambda: procfs.parent(orphan) == run.pid, what="the orphan to come")
    os.kill(orphan, signal.SIGTERM)
    pm.wait_until(lambda: procfs.state(orphan) is None, what="the orphan to be reaped")
    assert run.popen.poll() is None
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGTERM


@pytest.mark.parametrize("way", WAYS)
def test_the_end_of_the_command_is_the_end_while_orphans_live(panicmon, way):
    """They hold its output, and panicmon does not wait for that either."""
    done = panicmon.run(["sh", "-c", "(sleep 1000 & echo $!); exit 4"], deadline=30, **way)
    assert done.status == 4
    if "prefix" not in way:  # the end of a pid namespace is that of all
        os.kill(int(done.stdout), signal.SIGKILL)


def test_the_command_is_no_subreaper(panicmon):
    """PR_GET_CHILD_SUBREAPER of it is what it was."""
    script = "import ctypes; n = ctypes.c_int(9); ctypes.CDLL(None).prctl(37, ctypes.byref(n)); print(n.value)"
    done = panicmon.run([shutil.which("python3"), "-S", "-c", script], options=["process.subreaper=yes"])
    assert done.stdout == "0\n"


# ---- wait_orphans ----

@pytest.mark.parametrize("way", WAYS)
def test_it_waits_for_the_orphans(panicmon, tmp_path, way):
    """Until the last one has ended, and not longer; what they say still goes out."""
    os.mkfifo(tmp_path / "gate")
    script = f'for i in 1 2 3; do (read x <{tmp_path}/gate; echo orphan $i) & done; exit 5'
    run = panicmon.start(["sh", "-c", script], **way_with(way, "process.wait_orphans=60s"))
    run.wait_for_event("process.exited")
    assert run.popen.poll() is None
    gate = os.open(tmp_path / "gate", os.O_RDWR)  # without an end: who comes late reads, too
    os.write(gate, b"\n\n\n")
    done = run.wait(deadline=30)
    os.close(gate)
    assert (done.status, sorted(done.stdout.splitlines())) == (5, ["orphan 1", "orphan 2", "orphan 3"])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_a_stop_ends_the_wait(panicmon, way, number):
    run = panicmon.start(["sh", "-c", "sleep 1000 & exit 5"], **way_with(way, "process.wait_orphans=60s"))
    run.wait_for_event("process.exited")
    target = run.first_process() if "prefix" in way else run.pid
    orphan, = pm.wait_until(lambda: [pid for pid in procfs.children(target) if procfs.comm(pid) == "sleep"],
                            what="the orphan to be sleep(1)")
    os.kill(target, signal.SIGHUP)
    assert run.popen.poll() is None
    os.kill(target, number)
    done = run.wait(deadline=30)
    assert done.status == 5
    assert done.names[-1] == "process.exited"
    if procfs.alive(orphan) and "prefix" not in way:
        os.kill(orphan, signal.SIGKILL)


@pytest.mark.parametrize("way", WAYS)
def test_the_wait_has_an_end(panicmon, way):
    done = panicmon.run(["sh", "-c", "sleep 1000 & echo $!; exit 5"], deadline=30,
                        **way_with(way, "process.wait_orphans=200ms"))
    assert done.status == 5
    if "prefix" not in way:
        os.kill(int(done.stdout), signal.SIGKILL)


def test_a_stop_that_came_to_the_command_does_not_end_the_wait(panicmon, tmp_path):
    """It was meant for the command, which has ended by it."""
    os.mkfifo(tmp_path / "gate")
    script = f'trap "exit 5" TERM; (trap "" TERM; read x <{tmp_path}/gate; echo orphan) & echo ready; while :; do sleep 0.05; done'
    run = panicmon.start(["sh", "-c", script], options=["process.subreaper=yes", "process.wait_orphans=60s"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGTERM)
    run.wait_for_event("process.exited")
    gate = os.open(tmp_path / "gate", os.O_RDWR)  # without an end: who comes late reads, too
    os.write(gate, b"\n\n\n")
    done = run.wait(deadline=30)
    os.close(gate)
    assert (done.status, done.stdout) == (5, "ready\norphan\n")


def test_waiting_for_what_cannot_come_is_a_mistake(panicmon):
    done = panicmon.run(["true"], options=["process.wait_orphans=1s"])
    assert done.status == 125
    assert "wait_orphans" in done.stderr and "subreaper = yes" in done.stderr


# ---- group = session ----

def test_a_session_of_its_own_has_no_terminal(panicmon, terminal, tmp_path):
    run = on_terminal(panicmon, terminal, [pm.tool("probe"), tmp_path / "report"], options=["process.group=session"])
    assert run.wait().status == 0
    lines = (tmp_path / "report").read_text().splitlines()
    assert "terminal 0" in lines
    assert f"session {run.events[0]['pid']}" in lines
    assert terminal.foreground() in (0, run.pid)


def test_ctrl_c_reaches_a_session_through_panicmon_once(panicmon, terminal, tmp_path):
    run = on_terminal(panicmon, terminal, [pm.tool("sigcount"), "-q", 15, tmp_path / "taken"],
                      options=["process.group=session"])
    terminal.wait_for("ready")
    terminal.type("\x03")
    pm.wait_until(lambda: pm.taken(tmp_path / "taken"), what="the signal")
    run.send(signal.SIGTERM)
    assert run.wait().status == 0
    assert pm.numbers_taken(tmp_path / "taken") == [signal.SIGINT, signal.SIGTERM]


def wait_as_init(run):
    """For the end of panicmon; meanwhile orphans are reaped, which are this process's."""
    def ended():
        for pid in procfs.children(os.getpid()):
            if pid != run.pid and procfs.state(pid) == "Z":
                os.waitpid(pid, os.WNOHANG)
        return run.popen.poll() is not None
    pm.wait_until(ended, deadline=30, what="panicmon to end")
    return run.wait()


# Leaves a child in its group.
LEAVE = '"$@" >"$0" & until grep -q ready "$0" 2>/dev/null; do sleep 0.01; done; echo $!; exit 6'


def test_what_is_left_of_a_session_gets_term(panicmon, tmp_path):
    """And ends by it, so nobody waits for the time of the SIGKILL."""
    run = panicmon.start(["sh", "-c", LEAVE, tmp_path / "out", pm.tool("sigcount"), "-q", 15, tmp_path / "taken"],
                         options=["process.group=session", "process.stop_timeout=60s"])
    done = wait_as_init(run)
    assert done.status == 6
    assert pm.numbers_taken(tmp_path / "taken") == [signal.SIGTERM]
    assert not procfs.alive(int(done.stdout))


def test_a_zombie_that_nobody_reaps_is_not_waited_for(panicmon):
    """As in a container whose first process does not do so; here it is this one."""
    done = panicmon.run(["sh", "-c", "sleep 1000 & echo $!; exit 6"], deadline=30,
                        options=["process.group=session", "process.stop_timeout=60s"])
    assert done.status == 6
    assert procfs.state(int(done.stdout)) == "Z"


def test_what_stays_of_a_session_gets_kill(panicmon, tmp_path):
    done = panicmon.run(["sh", "-c", LEAVE, tmp_path / "out", pm.tool("sigcount"), tmp_path / "taken"],
                        options=["process.group=session", "process.stop_timeout=3s"])
    assert done.status == 6
    assert pm.numbers_taken(tmp_path / "taken")[0] == signal.SIGTERM
    pm.wait_until(lambda: not procfs.alive(int(done.stdout)), what="the end of it")


def test_kill_comes_after_5_seconds_if_nothing_else_was_said(panicmon, tmp_path):
    done = panicmon.run(["sh", "-c", "trap '' TERM; sleep 1000 & echo $!; exit 6"], options=["process.group=session"])
    assert done.status == 6 and 4.9 < done.seconds < 30
    pm.wait_until(lambda: not procfs.alive(int(done.stdout)), what="the end of it")


def test_a_stopped_one_of_a_session_ends_too(panicmon):
    done = wait_as_init(panicmon.start(["sh", "-c", "sleep 1000 & kill -STOP $!; echo $!; exit 6"],
                                       options=["process.group=session", "process.stop_timeout=60s"]))
    assert done.status == 6 and not procfs.alive(int(done.stdout))


@pytest.mark.parametrize("group", ["new", "inherit"])
def test_what_is_left_of_another_group_stays(panicmon, group):
    """As without panicmon."""
    done = panicmon.run(["sh", "-c", "sleep 1000 & echo $!; exit 6"], options=[f"process.group={group}"])
    assert done.status == 6
    assert procfs.alive(int(done.stdout))
    os.kill(int(done.stdout), signal.SIGKILL)


def test_each_instance_has_a_session_to_end(panicmon, tmp_path):
    """One's is ended when it ends, not when all have."""
    script = 'sleep 1000 & echo $!; [ $PANICMON_INSTANCE = 1 ] || read x; exit 0'
    run = panicmon.start(["sh", "-c", script], stdin=-1,
                         options=["process.group=session", "process.instances=2", "process.stop_timeout=60s"])
    pm.wait_until(lambda: len(run.stdout.split()) == 2, what="the children")
    children = set(map(int, run.stdout.split()))
    pm.wait_until(lambda: len(procfs.living(children)) == 1, deadline=30, what="the end of one")
    run.popen.stdin.close()
    assert wait_as_init(run).status == 0
    assert not procfs.living(children)
