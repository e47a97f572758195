"""[process] exit_status and remap, and ends that must not be taken for others."""
import os
import shutil
import signal
import subprocess

import pytest

import pm
import procfs


def killer(number):
    return ["sh", "-c", f"kill -{int(number)} $$"]


# SIGQUIT and others would dump core where that is on; panicmon must not do it once more.
@pytest.mark.parametrize("number", [1, 2, 3, 6, 9, 11, 13, 14, 15, 31, 34, 64])
@pytest.mark.parametrize("how", ["same", "code"])
def test_death_by_a_signal(panicmon, number, how):
    done = panicmon.run(killer(number), options=[f"process.exit_status={how}"])
    assert done.status == (-number if how == "same" else 128 + number)
    exited = done.events[-1]
    assert (exited["code"], exited["status"]) == (-1, 128 + number)


def test_the_same_signal_dumps_no_second_core(panicmon, tmp_path):
    """panicmon's own limit is 0, and it cannot be dumped; the command may."""
    with open("/proc/sys/kernel/core_pattern", encoding="utf-8") as file:
        if file.read(1) in "|/":
            pytest.skip("cores go elsewhere")
    done = panicmon.run(["sh", "-c", "ulimit -c unlimited; kill -ABRT $$"], cwd=tmp_path)
    assert done.status == -signal.SIGABRT
    assert len(list(tmp_path.glob("core*"))) <= 1
    assert done.events[-1]["core"] == bool(list(tmp_path.glob("core*")))


@pytest.mark.parametrize("command, options, status", [
    (killer(15), ["remap=143:0, 3:0"], 0),
    (["sh", "-c", "exit 3"], ["remap=143:0, 3:0"], 0),
    (["sh", "-c", "exit 143"], ["remap=143:0"], 0),
    (killer(9), ["remap=143:0"], -9),
    (killer(9), ["remap=143:0", "exit_status=code"], 137),
    (killer(15), ["remap=143:0", "exit_status=code"], 0),
    (killer(15), ["remap=143:143"], 143),
    (["true"], ["remap=0:7"], 7),
    (["sh", "-c", "exit 255"], ["remap=255:254 254:1"], 254),
])
def test_remap(panicmon, command, options, status):
    done = panicmon.run(command, options=[f"process.{option}" for option in options])
    assert done.status == status
    assert done.names == ["process.started", "process.exited"]
    assert done.events[-1]["reason"] in ("exited", "signaled")  # the event tells of the command as it was


@pytest.mark.skipif(not pm.can_unshare(), reason="no new pid namespace here")
@pytest.mark.parametrize("options, status", [([], 143), (["process.exit_status=code"], 143), (["process.remap=143:0"], 0)])
def test_as_the_first_process(panicmon, options, status):
    run = panicmon.start(["sleep", "1000"], options=options, prefix=pm.UNSHARE)
    run.wait_for_event("process.started")
    os.kill(run.first_process(), signal.SIGTERM)
    assert run.wait().status == status


@pytest.mark.parametrize("command, status, name", [
    (["sh", "-c", "exit 127"], 127, "process.exited"), (["sh", "-c", "exit 126"], 126, "process.exited"),
    (["sh", "-c", "exit 125"], 125, "process.exited"), (["sh", "-c", "exit 255"], 255, "process.exited"),
    (["/no/such"], 127, "process.failed"), (["/"], 126, "process.failed")])
def test_an_exit_code_is_not_taken_for_a_failed_exec(panicmon, command, status, name):
    done = panicmon.run(command)
    assert (done.status, done.names) == (status, ["process.started", name])
    assert done.events[1]["status"] == status
    assert ("errno" in done.events[1]) == (name == "process.failed")
    assert ("code" in done.events[1]) == (name == "process.exited")


@pytest.mark.parametrize("code", [126, 127])
def test_a_failed_exec_is_not_remapped_away(panicmon, code):
    """It is no exit of the command."""
    done = panicmon.run(["/no/such" if code == 127 else "/"], options=["process.remap=126:0, 127:0"])
    assert done.status == code


# ---- the exit comes from wait, and is the command's own ----

# A command whose many children end in the same moment as it.
CROWD = """
import os, sys, time
read_end, write_end = os.pipe()
for i in range(50):
    if os.fork() == 0:
        os.close(write_end)
        os.read(read_end, 1)
        os._exit(i % 200)
os.close(write_end)
os._exit(37)
"""


@pytest.mark.parametrize("options", [[], ["process.subreaper=yes"]], ids=["", "as-the-subreaper"])
def test_ends_that_coalesce_are_all_seen(panicmon, options):
    """One SIGCHLD for the command, a handler's host and fifty orphans: none is overlooked, and whose
    status it is is not mixed up."""
    for _ in range(20):
        done = panicmon.run([shutil.which("python3"), "-S", "-c", CROWD], options=options, deadline=30)
        assert done.status == 37
        assert done.events[-1]["code"] == 37


@pytest.mark.parametrize("options", [[], ["process.subreaper=yes"]], ids=["", "as-the-subreaper"])
def test_the_end_is_seen_while_others_hold_every_pipe(panicmon, options):
    """stdout, stderr, stdin, and all that panicmon has left open by mistake: the grandchild has it."""
    folder, line = panicmon.arguments(["sh", "-c", "sleep 1000 & echo $!; exit 6"], options=options)
    popen = panicmon.spawn(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert popen.wait(pm.DEADLINE) == 6
    left = int(popen.stdout.readline())
    pm.wait_until(lambda: procfs.comm(left) == "sleep", what="the grandchild, which holds them all")
    os.kill(left, signal.SIGKILL)
    assert pm.names(pm.read_events(folder / "events")) == ["process.started", "process.exited"]


def test_a_wait_status_is_not_stolen_by_an_inherited_child(panicmon):
    """Whoever became panicmon by exec has left it a child, which ends before, with or after the command."""
    for delay in ("0", "0.05", "0.2"):
        done = panicmon.run(["sh", "-c", "sleep 0.05; exit 11"],
                            prefix=["sh", "-c", f'(sleep {delay}; exit 9) & exec "$@"', "sh"])
        assert done.status == 11
        assert done.names == ["process.started", "process.exited"]
