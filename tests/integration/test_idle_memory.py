"""What panicmon costs while nothing happens."""
import re
import shutil
import signal
import subprocess
import time

import pytest

import pm
import procfs

PANICMON_KB = 500
HOST_KB = 400
GUARD_KB = 150


@pytest.fixture
def idle(panicmon, tmp_path):
    """Three log handlers around a command that sleeps, all of them asleep."""
    logs = [tmp_path / f"log{i}" for i in range(3)]
    config = panicmon.config("".join(panicmon.log_section(log.name, log) for log in logs))
    run = panicmon.start(["sleep", "1000"], config=config)
    run.command()
    run.send(signal.SIGCONT)
    for log in logs:
        pm.wait_until(lambda: len(pm.read_events(log)) == 3, what="the events")
    run.asleep = {run.pid, run.guard(), *run.hosts().values()}
    assert len(run.asleep) == 5
    pm.wait_until(lambda: all(procfs.state(pid) == "S" for pid in run.asleep), what="all to sleep")
    # A tenth of a second after the start panicmon looks once more. What may be left then is the time
    # limit of a call into a plugin.
    pm.wait_until(lambda: (procfs.waits_ms(run.pid) or 0) not in range(10001), what="the last timer")
    yield run
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGTERM


@pytest.mark.skipif(pm.is_sanitized(), reason="sanitizers take memory of their own")
def test_memory(idle, record_property):
    sizes = {pid: procfs.pss_kb(pid) for pid in idle.asleep}
    print(f"PSS in kB: panicmon {sizes[idle.pid]}, guard {sizes[idle.guard()]}, "
          f"hosts {[sizes[pid] for pid in idle.hosts().values()]}")
    record_property("pss_kb", str(sorted(sizes.values())))
    assert sizes[idle.pid] <= PANICMON_KB
    assert sizes[idle.guard()] <= GUARD_KB
    for name, pid in idle.hosts().items():
        assert sizes[pid] <= HOST_KB, name


@pytest.mark.skipif(pm.is_sanitized(), reason="sanitizers take memory of their own")
def test_memory_after_a_storm(panicmon, tmp_path):
    """What a storm took is given back or used again: after it all is small, and a second one takes no more."""
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"])
    run.wait_for_stdout("ready")
    sizes = []
    for storm in range(3):
        assert panicmon.spawn([pm.tool("sigqueue_storm"), run.pid, 3000]).wait(pm.DEADLINE) == 0
        pm.wait_until(lambda: len(run.events) == 1 + 6000 * (storm + 1), what="the events")
        sizes.append((procfs.pss_kb(run.pid), procfs.pss_kb(run.host())))
    print(f"PSS in kB of panicmon and its host after each storm: {sizes}")
    assert sizes[2][0] <= sizes[1][0] + 256 and sizes[2][1] <= sizes[1][1] + 256
    run.send(signal.SIGTERM)
    assert run.wait().status == 0


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_idle_makes_no_system_call(panicmon, idle, tmp_path):
    trace = tmp_path / "trace"
    options = [word for pid in sorted(idle.asleep) for word in ("-p", pid)]
    strace = panicmon.spawn(["strace", "-f", "-o", trace, *options], stderr=subprocess.DEVNULL)
    pm.wait_until(lambda: all(procfs.status(pid).get("TracerPid") == str(strace.pid) for pid in idle.asleep) or
                  strace.poll() is not None, what="strace")
    if strace.poll() is not None:
        pytest.skip("strace may not attach here")
    time.sleep(5)  # the length of the idleness that is looked at; nothing is waited for
    strace.send_signal(signal.SIGINT)
    strace.wait(pm.DEADLINE)
    calls = trace.read_text().splitlines()
    # strace shows the call that each sleeps in, begun before, and that it lets go of it.
    waits = [line for line in calls if re.search(r"(epoll_p?wait2?|recvfrom|poll|ppoll|restart_syscall)\(", line)]
    assert len(waits) == len(idle.asleep), calls
    assert all("detached" in line or "unfinished" in line for line in waits), calls
    assert all("detached" in line for line in calls if line not in waits), calls


def test_idle_takes_no_processor_time(idle):
    """The same, where strace cannot be: no switch of context over a while."""
    def switches():
        return {pid: (procfs.status(pid)["voluntary_ctxt_switches"], procfs.status(pid)["nonvoluntary_ctxt_switches"])
                for pid in idle.asleep}
    before = switches()
    time.sleep(1)  # likewise the length of what is looked at
    assert switches() == before
