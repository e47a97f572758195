"""Starts and ends in great number and at any moment: nothing is left of them."""
import os
import signal

import pytest

import many
import pm
import procfs


@pytest.fixture
def load(panicmon):
    """More that wants to compute than there are processors."""
    busy = [panicmon.spawn(["sh", "-c", "while :; do :; done"]) for _ in range(4)]
    yield
    for popen in busy:
        popen.kill()


def descriptors_of_commands(starts):
    """As sigcount -d counted them."""
    return {path.read_text().splitlines()[0] for path in starts.folder.glob("*.taken")}


@pytest.mark.parametrize("logged", [True, False], ids=["with-a-handler", "without-handlers"])
def test_500_starts_and_stops_under_load_leave_nothing(panicmon, load, logged):
    """No process (many_starts is the subreaper of each), no descriptor in the command, none here."""
    ours = len(procfs.descriptors(os.getpid()))
    starts = many.run(panicmon, many.fewer(500), [pm.tool("sigcount"), "-d", "-q", int(signal.SIGTERM), "@.taken"],
                      kill=[signal.SIGTERM], blocked=True, within=30, logged=logged)
    assert starts.statuses == {0}
    assert starts.with_orphans == [], f"seed {starts.seed}"
    assert descriptors_of_commands(starts) == {"descriptors 3"}
    assert len(procfs.descriptors(os.getpid())) == ours


def test_a_stop_at_any_moment_ends_it_by_that_signal(panicmon, load):
    """Not blocked: before panicmon takes the signal it ends by it itself, after that the command does."""
    starts = many.run(panicmon, many.fewer(200), ["sleep", "1000"], kill=[signal.SIGTERM],
                      within=many.window(panicmon, 20))
    assert starts.statuses == {-signal.SIGTERM}
    assert starts.with_orphans == [], f"seed {starts.seed}"
    for start, _, _ in starts.lines:
        names = pm.names(starts.events(start))
        assert names in ([], ["process.started", "signal.received", "signal.passed", "process.exited"]), names


@pytest.mark.parametrize("logged, depth", [(True, 3), (False, 0)], ids=["with-a-handler", "without-handlers"])
def test_300_kills_at_any_moment_of_the_start_leave_nothing(panicmon, logged, depth):
    """Between fork and prctl, at the gate, in exec, and after: SIGKILL of panicmon is the end of the
    command, and of descendants that hear of nothing else. Those are left to the handlers' hosts, or,
    without any, to a guard that is not there from the very beginning."""
    starts = many.run(panicmon, many.fewer(300), [pm.tool("stubborn"), depth], kill=[signal.SIGKILL], logged=logged,
                      within=many.window(panicmon, 5, logged))
    assert starts.statuses == {-signal.SIGKILL}
    ends = [pm.names(starts.events(start))[-1:] for start, _, _ in starts.lines]
    assert {tuple(names) for names in ends} <= {(), ("process.exited",)}
    if logged:  # or it was no test
        assert ["process.exited"] in ends


def test_kills_of_panicmon_and_a_host_at_once(panicmon):
    """With two handlers one host is enough to see to the group."""
    log = panicmon.log_section("log", panicmon.folder / "log") + panicmon.log_section("other", panicmon.folder / "other")
    for _ in range(5):
        run = panicmon.start([pm.tool("stubborn"), 2], config=panicmon.config(log))
        run.wait_for_stdout("stubborn")
        command = run.command()
        group = {command, *procfs.descendants(command)}
        assert len(group) == 3
        os.kill(run.host("other"), signal.SIGKILL)
        os.kill(run.pid, signal.SIGKILL)
        pm.wait_until(lambda: not procfs.living(group), what="the end of the group")
        run.wait()
