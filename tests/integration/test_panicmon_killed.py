"""No orphan: with panicmon, however it dies, its command dies, and all of the command's group."""
import os
import shutil
import signal

import pytest

import plugins
import pm
import procfs
from terminals import on_terminal

CHAIN = 3

# Who sees to the group: the host of a handler, of one of several, or the guard of a run without any.
KEEPERS = ["guard", "host", "hosts"]


@pytest.fixture
def start(panicmon, tmp_path):
    """Starts panicmon around a family that heeds nothing but SIGKILL: (Run, its pids)."""
    def start_family(keepers, *options, command=None, **arguments):
        count = {"guard": 0, "host": 1, "hosts": 3}[keepers]
        config = panicmon.config("".join(panicmon.log_section(f"log{i}", tmp_path / f"log{i}") for i in range(count)))
        run = panicmon.start(command or [pm.tool("stubborn"), CHAIN], config=config, options=options, **arguments)
        run.wait_for_stdout("stubborn")
        pids = run.commands(1)
        family = set(pids).union(*map(procfs.descendants, pids))
        if keepers == "guard":
            pm.wait_until(lambda: "pm-guard" in map(procfs.comm, procfs.children(run.pid)), what="the guard")
        else:
            pm.wait_until(lambda: len(run.hosts()) == count, what="the hosts")
        return run, family
    return start_family


def kill_and_wait(run, family, going=None):
    """Kills panicmon, and waits for the end of those of the family who are to go: all."""
    keepers = procfs.descendants(run.pid) - family
    assert keepers
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    pm.wait_until(lambda: not procfs.living(family if going is None else going), deadline=20, what="the end of the family")
    pm.wait_until(lambda: not procfs.living(keepers), what="the end of the hosts and the guard")


@pytest.mark.parametrize("keepers", KEEPERS)
@pytest.mark.parametrize("group", ["new", "session"])
def test_the_whole_family_goes(start, tmp_path, keepers, group):
    run, family = start(keepers, f"process.group={group}")
    assert len(family) == CHAIN + 1
    kill_and_wait(run, family)
    for log in tmp_path.glob("log?"):
        events = pm.read_events(log)
        assert pm.names(events) == ["process.started", "process.exited"]
        assert events[1]["reason"] == "monitor-died"


@pytest.mark.parametrize("keepers", KEEPERS)
def test_in_a_shared_group_the_command_goes_and_the_group_stays(start, keepers):
    """It is that of panicmon and of whoever started it, too."""
    run, family = start(keepers, "process.group=inherit", process_group=0)
    command = min(family)
    assert {procfs.process_group(pid) for pid in family} == {run.pid}
    kill_and_wait(run, family, {command})
    rest = family - {command}
    assert procfs.living(rest) == rest
    for pid in rest:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("keepers", KEEPERS)
def test_on_a_terminal(panicmon, terminal, tmp_path, keepers):
    """Where the kernel sends SIGHUP to the foreground besides, when the session's leader has gone."""
    config = panicmon.config("" if keepers == "guard" else panicmon.log_section("log", tmp_path / "log"))
    run = on_terminal(panicmon, terminal, [pm.tool("stubborn"), CHAIN], config=config)
    terminal.wait_for("stubborn")
    command = run.command()
    family = {command, *procfs.descendants(command)}
    pm.wait_until(lambda: "pm-guard" in map(procfs.comm, procfs.children(run.pid)), what="the guard")
    kill_and_wait(run, family)


@pytest.mark.parametrize("keepers", KEEPERS)
def test_stopped_ones_go_too(start, keepers):
    run, family = start(keepers)
    for pid in family:
        os.kill(pid, signal.SIGSTOP)
    pm.wait_until(lambda: {procfs.state(pid) for pid in family} == {"T"}, what="the stop")
    kill_and_wait(run, family)


@pytest.mark.parametrize("keepers", KEEPERS)
def test_a_stopped_panicmon_too(start, keepers):
    run, family = start(keepers)
    os.kill(run.pid, signal.SIGSTOP)
    kill_and_wait(run, family)


@pytest.mark.parametrize("keepers", KEEPERS)
def test_a_leader_that_has_ended_takes_nobody_with_it(start, panicmon, keepers, tmp_path):
    """Its group is left as it would be without panicmon; a panicmon that is killed while it delivers the
    last events must not end others that have got the number since."""
    run, family = start(keepers, command=["sh", "-c", f"{pm.tool('stubborn')} 1 & wait"])
    command = run.command()
    rest = family - {command}
    os.kill(command, signal.SIGKILL)
    assert run.wait().status == -signal.SIGKILL
    assert procfs.living(rest) == rest
    for pid in rest:
        os.kill(pid, signal.SIGKILL)


def test_a_group_is_safe_while_the_last_events_are_delivered(panicmon, tmp_path):
    notes = tmp_path / "notes"
    config = panicmon.config(plugins.section("slow", "hostile", where="close", how="hang", path=notes) +
                             "[panicmon]\ndrain_timeout = 60s\n")
    run = panicmon.start(["sh", "-c", f"{pm.tool('stubborn')} 0 & echo $!; sleep 0.1"], config=config)
    pm.wait_until(lambda: "close" in plugins.notes(notes), what="the drain")
    left = [int(word) for word in run.stdout.split() if word.isdigit()][0]
    host = run.host("slow")
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    os.kill(host, signal.SIGKILL)
    pm.wait_until(lambda: not procfs.alive(host), what="the host to end")
    assert procfs.alive(left)
    os.kill(left, signal.SIGKILL)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("keepers", KEEPERS)
def test_one_that_has_become_another_user(start, keepers):
    """The kernel clears PDEATHSIG there (prctl(2)); the hosts and the guard remain."""
    setpriv = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    run, family = start(keepers, command=[*setpriv, "sh", "-c", "trap '' HUP TERM; echo stubborn; while :; do sleep 0.1; done"])
    command = min(family)
    assert procfs.status(command)["Uid"].split()[0] == "65534"
    kill_and_wait(run, {command})


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a set-user-ID program")
def test_one_that_nobody_of_ours_may_end_is_told(panicmon, public_folder):
    """panicmon is nobody, and the command has become root."""
    setpriv = shutil.copy(shutil.which("setpriv"), public_folder / "rootpriv")
    os.chmod(setpriv, 0o4755)
    panicmon.path = shutil.copy(panicmon.path, public_folder / "panicmon")
    (public_folder / "empty.ini").touch()
    run = panicmon.start([setpriv, "--reuid=0", "--regid=0", "--clear-groups", "sleep", "1000"], cwd="/",
                         config=public_folder / "empty.ini",
                         prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"])
    pm.wait_until(lambda: "has changed to another user" in run.stderr, what="the warning")
    command, = pm.wait_until(lambda: [pid for pid in procfs.children(run.pid) if procfs.command_line(pid)[:1] == ["sleep"]],
                             what="sleep(1)")
    os.kill(command, signal.SIGKILL)
    assert run.wait().status == -signal.SIGKILL


@pytest.mark.skipif(not pm.can_unshare(), reason="no new pid namespace here")
def test_a_command_in_another_pid_namespace(panicmon):
    """getppid(2) is 0 there, so that is no sign of panicmon's death."""
    before = procfs.children(os.getpid())
    into_new = [word for word in pm.UNSHARE if word in ("unshare", "--map-root-user", "--pid")]
    done = panicmon.run(["sh", "-c", "echo $$ $PPID; exit 3"], prefix=into_new, events=False)
    assert (done.status, done.stdout) == (3, "1 0\n")
    run = panicmon.start([pm.tool("stubborn"), CHAIN], prefix=into_new, events=False)
    run.wait_for_stdout("stubborn")
    tree = procfs.descendants(run.pid)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()

    def ended():
        """The first process of a namespace ends when all others in it are reaped, the orphans by us."""
        panicmon.reap(before)
        return not procfs.living(tree)
    pm.wait_until(ended, what="all to end")


def test_with_words_of_a_host_unread(panicmon, tmp_path):
    """A socket whose other end goes with something unread says ECONNRESET before it says that it ends."""
    notes = tmp_path / "notes"
    run = panicmon.start([pm.tool("stubborn"), 1], config=panicmon.config(
        plugins.section("patient", "patient", path=notes, tick="10ms")))
    run.wait_for_stdout("stubborn")
    family = {run.command(), *procfs.descendants(run.command())}
    os.kill(run.pid, signal.SIGSTOP)
    pm.wait_until(lambda: procfs.state(run.pid) == "T", what="the stop")
    # Each tick of one that sleeps is told to panicmon.
    before = plugins.notes(notes).count("tick")
    pm.wait_until(lambda: plugins.notes(notes).count("tick") > before + 3, what="ticks")
    kill_and_wait(run, family)
    assert [note for note in plugins.notes(notes) if note != "tick"] == [(1, 1, 1), (2, 3, 1), "close"]
