"""The handler exec: what becomes of an event by the end of its program, and of all that it has started."""
import os
import signal
import subprocess

import pytest

import hooks
import plugins
import pm
import procfs


@pytest.fixture
def end_with(panicmon, tmp_path):
    """Runs `true` with a shell script as the hook: a pm.Completed."""
    def run(script, command=("true",), drain_timeout="60s", options=(), **keys):
        path = hooks.config(panicmon, hooks.section([hooks.program(tmp_path, script)], **keys),
                            drain_timeout=drain_timeout)
        return panicmon.run(command, config=path, options=options)
    return run


def lines_of(path):
    return path.read_text().splitlines() if path.exists() else []


def sleepers(path):
    """The pids that a script has written to a file."""
    return {int(line) for line in lines_of(path)}


# ---- its exit status ----


def test_75_is_tried_again(end_with, tmp_path):
    """Later and later; nothing overtakes it, and it is told once."""
    out = tmp_path / "out"
    done = end_with(f'echo "$PANICMON_SEQ ${{PANICMON_ATTEMPT-1}} $(jq ".attempt // 1")" >>{out}\n'
                    f'[ "$PANICMON_SEQ" != 1 ] || [ "$PANICMON_ATTEMPT" = 4 ] || exit 75')
    assert done.status == 0
    assert lines_of(out) == ["1 1 1", "1 2 2", "1 3 3", "1 4 4", "2 1 1"]
    assert hooks.lines(done.stderr) == [
        f"'{tmp_path}/hook' ended with exit status 75; event 1 will be tried again"]


@pytest.mark.parametrize("script, said", [
    ("exit 1", "ended with exit status 1"),
    ("exit 74", "ended with exit status 74"),
    ("exit 126", "ended with exit status 126"),
    ("exit 255", "ended with exit status 255"),
    ("kill -KILL $$", "was killed by SIGKILL"),
    ("kill -TERM $$", "was killed by SIGTERM"),
    ("ulimit -c 0; kill -SEGV $$", "was killed by SIGSEGV"),
    ("kill -KILL 0", "was killed by SIGKILL"),
])
def test_any_other_end_is_given_up_and_told(end_with, tmp_path, script, said):
    out = tmp_path / "out"
    done = end_with(f"echo $PANICMON_SEQ >>{out}\n{script}")
    assert done.status == 0
    assert lines_of(out) == ["1", "2"]
    # The first of a row.
    assert hooks.lines(done.stderr) == [f"event 1 is given up: '{tmp_path}/hook' {said}"]
    assert plugins.missed(done.stderr, "exec") == (0, 2)


def test_killing_its_group_with_term(end_with, tmp_path):
    """Who leads that group is not impressed."""
    done = end_with("sleep 1000 & kill -TERM 0; wait")
    assert hooks.lines(done.stderr) == [f"event 1 is given up: '{tmp_path}/hook' was killed by SIGTERM"]


# ---- its time ----


def test_a_run_that_hangs(end_with, tmp_path):
    """TERM, so that it can clean up, and the next event comes."""
    out = tmp_path / "out"
    done = end_with(f'trap "echo $PANICMON_SEQ cleaned up >>{out}; exit 0" TERM\n'
                    f"[ $PANICMON_SEQ = 2 ] || {{ sleep 1000 & wait; }}\necho $PANICMON_SEQ done >>{out}", run_timeout="3s")
    assert done.status == 0
    assert lines_of(out) == ["1 cleaned up", "2 done"]
    assert hooks.lines(done.stderr) == [f"event 1 is given up: '{tmp_path}/hook' had not ended after 3000 ms"]
    assert plugins.missed(done.stderr, "exec") == (0, 1)


def test_a_run_that_heeds_no_term(end_with, tmp_path):
    """KILL, for it and for all that it has started."""
    pids = tmp_path / "pids"
    done = end_with(f'[ $PANICMON_SEQ = 1 ] || exit 0\ntrap "" TERM\necho $$ >>{pids}\nsleep 1000 & echo $! >>{pids}\n'
                    "while :; do wait; sleep 1; done", run_timeout="2s")
    assert done.status == 0 and 4 <= done.seconds < 30
    assert hooks.lines(done.stderr) == [f"event 1 is given up: '{tmp_path}/hook' had not ended after 2000 ms"]
    assert len(sleepers(pids)) == 2
    pm.wait_until(lambda: not procfs.living(sleepers(pids)), what="their end")


def test_a_run_that_is_stopped(end_with, tmp_path):
    done = end_with("[ $PANICMON_SEQ = 1 ] || exit 0\nkill -STOP $$", run_timeout="200ms")
    assert hooks.lines(done.stderr) == [f"event 1 is given up: '{tmp_path}/hook' had not ended after 200 ms"]


def test_a_run_that_has_left_its_group(end_with, tmp_path):
    """It is not reached by TERM, and goes with the one that leads the group."""
    pids = tmp_path / "pids"
    done = end_with(f"[ $PANICMON_SEQ = 1 ] || exit 0\necho $$ >>{pids}\nexec setsid sleep 1000", run_timeout="2s")
    assert hooks.lines(done.stderr) == [f"event 1 is given up: '{tmp_path}/hook' had not ended after 2000 ms"]
    assert len(sleepers(pids)) == 1
    pm.wait_until(lambda: not procfs.living(sleepers(pids)), what="its end")


def test_a_run_that_takes_longer_than_the_timeout_of_a_call(end_with, tmp_path):
    """That one is for a plugin that hangs."""
    out = tmp_path / "out"
    done = end_with(f"sleep 6; echo $PANICMON_SEQ >>{out}", timeout="2s", run_timeout="60s", events="process.exited")
    assert lines_of(out) == ["2"] and done.stderr == ""


# ---- what it reads ----


LARGE = ["true", *["x" * 100_000] * 10]


@pytest.mark.parametrize("script", ["exit 0", "exec <&-; exit 0", "head -c 10 >/dev/null", "cat >/dev/null"])
def test_what_it_does_not_read_holds_up_nobody(end_with, script):
    done = end_with(script, command=LARGE)
    assert (done.status, done.stderr) == (0, "")


def test_its_stdin_cannot_be_written(end_with, tmp_path):
    """Whoever holds it on reads the event as it was."""
    out = tmp_path / "out"
    end_with(f"(echo changed >/proc/self/fd/0; echo changed >&0) 2>/dev/null\ncat >>{out}")
    assert [line["event"] for line in pm.read_events(out)] == ["process.started", "process.exited"]


# ---- what it leaves behind ----


def test_what_it_leaves_in_its_group_goes(end_with, tmp_path):
    pids = tmp_path / "pids"
    done = end_with(f"sleep 1000 & echo $! >>{pids}\n(trap '' TERM HUP; sleep 1000) & echo $! >>{pids}")
    assert done.status == 0
    assert len(sleepers(pids)) == 4
    pm.wait_until(lambda: not procfs.living(sleepers(pids)), what="their end")


def test_a_daemon_that_holds_its_pipes(end_with, tmp_path):
    """One in a session of its own stays, and holds up neither the next event nor panicmon's end."""
    pids = tmp_path / "pids"
    try:
        done = end_with(f"setsid sh -c 'echo $$ >>{pids}; exec sleep 1000' &\nwhile ! [ -s {pids} ]; do sleep 0.01; done")
        assert (done.status, done.stderr) == (0, "")
        assert done.seconds < 30
        assert procfs.living(sleepers(pids))
    finally:
        pm.kill_all(lambda: procfs.living(sleepers(pids)))


def test_a_panicmon_that_waits_for_orphans(end_with, tmp_path):
    """It gets what a program leaves, and has none of it to wait for."""
    pids = tmp_path / "pids"
    done = end_with(f"sleep 1000 & echo $! >>{pids}", options=["process.subreaper=yes", "process.wait_orphans=1h"])
    assert done.status == 0
    assert len(sleepers(pids)) == 2
    pm.wait_until(lambda: not procfs.living(sleepers(pids)), what="their end")


# ---- the end of panicmon ----


HANGS = 'echo $$ >>{0}\nsleep 1000 & echo $! >>{0}\ntrap "" TERM\nwhile :; do wait; sleep 1; done'


@pytest.fixture
def hanging(panicmon, tmp_path):
    """Starts panicmon with a hook that hangs: (Run, file of the hook's pids)."""
    def start(command=("sleep", "1000"), stdin=subprocess.DEVNULL, **more):
        pids = tmp_path / "pids"
        path = hooks.config(panicmon, hooks.section([hooks.program(tmp_path, HANGS.format(pids))], run_timeout="1h"), **more)
        run = panicmon.start(command, config=path, stdin=stdin)
        pm.wait_until(lambda: len(sleepers(pids)) >= 2, what="the hook")
        return run, pids
    return start


def all_gone(pids):
    pm.wait_until(lambda: not procfs.living(sleepers(pids)), what="the hook's end")


def test_the_drain_waits_no_longer_than_it_may(hanging):
    run, pids = hanging(["sh", "-c", "read line; exit 5"], drain_timeout="1s", stdin=subprocess.PIPE)
    run.popen.stdin.close()
    done = run.wait()
    assert done.status == 5 and done.seconds < 30
    all_gone(pids)


def test_panicmon_is_killed_during_a_run(hanging):
    """Its host has a little time then, and is killed with all that it runs."""
    run, pids = hanging(drain_timeout="1s")
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    all_gone(pids)


def test_the_host_is_killed_during_a_run(hanging):
    """A new one runs the program for the same event again."""
    run, pids = hanging(drain_timeout="1s")
    host = run.host("exec")
    first = sleepers(pids)
    os.kill(host, signal.SIGKILL)
    pm.wait_until(lambda: not procfs.living(first), what="the hook's end")
    pm.wait_until(lambda: len(sleepers(pids)) >= 4, what="the next run")
    run.send(signal.SIGTERM)
    run.wait()
    all_gone(pids)


def test_the_minder_is_killed_during_a_run(end_with, tmp_path):
    """The program goes with it, and the event is given up as if that had been killed."""
    done = end_with('kill -KILL $(cut -d" " -f4 /proc/$$/stat); exec sleep 1000')
    assert done.status == 0
    assert hooks.lines(done.stderr) == [f"event 1 is given up: '{tmp_path}/hook' was killed by SIGKILL"]


def test_the_last_event_is_out_when_panicmon_ends(end_with, tmp_path):
    out = tmp_path / "out"
    end_with(f"sleep 0.3; echo $PANICMON_EVENT >>{out}")
    assert lines_of(out) == ["process.started", "process.exited"]


# ---- a program that changes ----


@pytest.fixture
def running(panicmon, tmp_path):
    """panicmon with a hook that has run once: (Run, the hook, its output)."""
    out = tmp_path / "out"
    hook = hooks.program(tmp_path, f"echo one >>{out}")
    run = panicmon.start(["sleep", "1000"], config=hooks.config(panicmon, hooks.section([hook])))
    pm.wait_until(lambda: lines_of(out) == ["one"], what="the first run")
    return run, hook, out


def stop(run):
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGTERM
    return done


def test_it_is_removed_and_comes_back(running):
    run, hook, out = running
    text = hook.read_text()
    hook.unlink()
    run.send(signal.SIGWINCH)
    said = f"cannot run '{hook}': No such file or directory; event 2 will be tried again"
    pm.wait_until(lambda: said in hooks.lines(run.stderr), what="a word of it")
    hooks.program(hook.parent, text)
    pm.wait_until(lambda: len(lines_of(out)) == 3, what="the events that were waiting")
    done = stop(run)
    assert hooks.lines(done.stderr) == [said] and len(lines_of(out)) == 6
    assert plugins.missed(done.stderr, "exec") == (0, 0)


def test_it_may_not_be_executed_for_a_while(running):
    run, hook, out = running
    hook.chmod(0o644)
    run.send(signal.SIGWINCH)
    said = f"cannot run '{hook}': Permission denied; event 2 will be tried again"
    pm.wait_until(lambda: said in hooks.lines(run.stderr), what="a word of it")
    hook.chmod(0o755)
    pm.wait_until(lambda: len(lines_of(out)) == 3, what="the events that were waiting")
    stop(run)


def test_it_is_replaced(running):
    run, hook, out = running
    new = hooks.program(hook.parent, f"echo two >>{out}", "new")
    os.replace(new, hook)
    stop(run)
    assert lines_of(out) == ["one"] + ["two"] * 3


def test_it_has_no_first_line(running):
    """Nobody would know that without a shell, and waiting does not mend it."""
    run, hook, _ = running
    hook.write_text("echo three\n")
    done = stop(run)
    assert hooks.lines(done.stderr) == [f"event 2 is given up: cannot run '{hook}': Exec format error"]


def test_its_folder_is_removed_and_comes_back(panicmon, tmp_path):
    out, folder = tmp_path / "out", tmp_path / "folder"
    folder.mkdir()
    hook = hooks.program(tmp_path, f"echo one >>{out}")
    run = panicmon.start(["sleep", "1000"], config=hooks.config(panicmon, hooks.section([hook], directory=folder)))
    pm.wait_until(lambda: lines_of(out) == ["one"], what="the first run")
    folder.rmdir()
    run.send(signal.SIGWINCH)
    said = f"cannot enter '{folder}': No such file or directory; event 2 will be tried again"
    pm.wait_until(lambda: said in hooks.lines(run.stderr), what="a word of it")
    folder.mkdir()
    pm.wait_until(lambda: len(lines_of(out)) == 3, what="the events that were waiting")
    stop(run)
