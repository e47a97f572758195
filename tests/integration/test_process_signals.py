"""[process] signals, rewrite, signal_target and stop_timeout."""
import datetime
import os
import shutil
import signal

import pytest

import pm
import procfs

ALL = sorted(set(range(1, signal.SIGRTMAX + 1)) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD})
END = int(signal.SIGRTMAX)


@pytest.fixture
def sigcount(panicmon, tmp_path):
    """Starts panicmon around sigcount, which ends at the last of the real-time signals."""
    def start(*options):
        run = panicmon.start([pm.tool("sigcount"), "-q", END, tmp_path / "taken"],
                             options=[f"process.{option}" for option in options])
        run.wait_for_stdout("ready")
        run.taken = tmp_path / "taken"
        return run
    return start


def of(events, name):
    return [event["signo"] for event in events if event["event"] == name]


def send_each(run, numbers, until):
    """One after the other; `until` says of each by which it is seen to have arrived."""
    for number in numbers:
        run.send(number)
        pm.wait_until(lambda: until(number), what=f"signal {number}")


@pytest.mark.parametrize("signals, taken", [
    ("TERM, INT, HUP", {15, 2, 1}),
    ("SIGUSR1 12,RTMIN+1", {10, 12, signal.SIGRTMIN + 1}),
    ("33", {33}),
])
def test_only_those_of_the_list_are_taken(sigcount, signals, taken):
    run = sigcount(f"signals={signals} {END}")
    others = [number for number in ALL if number not in taken and number != END]
    for number in others:
        run.send(number)
    send_each(run, sorted(taken), lambda number: number in pm.numbers_taken(run.taken))
    run.send(END)
    done = run.wait()
    assert done.status == 0
    assert pm.numbers_taken(run.taken) == [*sorted(taken), END]
    assert of(done.events, "signal.received") == of(done.events, "signal.passed") == [*sorted(taken), END]


def test_one_that_is_not_taken_does_panicmon_nothing(panicmon):
    """Not even where the command is at its end."""
    run = panicmon.start(["sleep", "1000"], options=["process.signals=TERM"])
    command = run.command()
    for number in ALL:
        if number != signal.SIGTERM:
            run.send(number)
    assert procfs.alive(command) and run.popen.poll() is None
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGTERM
    assert done.names == ["process.started", "signal.received", "signal.passed", "process.exited"]


def test_the_command_keeps_the_disposition_of_those_that_are_not_taken(panicmon, tmp_path):
    def signals(path):
        return [line for line in path.read_text().splitlines() if line.startswith("status Sig")]
    plain, report = tmp_path / "plain", tmp_path / "report"
    assert panicmon.spawn([pm.tool("probe"), plain]).wait(pm.DEADLINE) == 0
    assert panicmon.run([pm.tool("probe"), report], options=["process.signals=TERM"]).status == 0
    assert signals(report) == signals(plain) != []


def test_each_of_1_to_64_can_become_any_other(sigcount):
    """By one more than it is; what would be SIGKILL or SIGSTOP, or what ends it, is left as it is."""
    pairs = {number: number + 1 for number in ALL if number + 1 not in (signal.SIGKILL, signal.SIGSTOP, END, END + 1)}
    run = sigcount("rewrite=" + ", ".join(f"{source}:{target}" for source, target in pairs.items()))
    for number in ALL:
        if number != END:
            run.send(number)
            wanted = pairs.get(number, number)
            pm.wait_until(lambda: pm.numbers_taken(run.taken)[-1:] == [wanted], what=f"{number} as {wanted}")
    run.send(END)
    done = run.wait()
    assert done.status == 0
    assert of(done.events, "signal.received") == ALL
    assert of(done.events, "signal.passed") == [pairs.get(number, number) for number in ALL]


def test_one_that_becomes_0_is_received_and_nothing_else(sigcount):
    run = sigcount("rewrite=HUP:0 USR1:0 40:0")
    for number in (signal.SIGHUP, signal.SIGUSR1, 40):
        run.send(number)
    run.wait_for_event("signal.received", 3)
    run.send(END)
    done = run.wait()
    assert pm.numbers_taken(run.taken) == [END]
    assert sorted(of(done.events, "signal.received")) == [1, 10, 40, END]
    assert of(done.events, "signal.passed") == [END] and of(done.events, "signal.failed") == []


@pytest.mark.parametrize("target", ["KILL", "9"])
def test_one_that_becomes_sigkill_ends_it(panicmon, target):
    run = panicmon.start(["sh", "-c", "trap '' TERM; echo ready; sleep 1000; exit"],
                         options=[f"process.rewrite=TERM:{target}", "process.signal_target=group"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == -signal.SIGKILL
    assert [(event["event"], event.get("signal")) for event in done.events[1:]] == [
        ("signal.received", "SIGTERM"), ("signal.passed", "SIGKILL"), ("process.exited", "SIGKILL")]
    assert (done.events[-1]["stop_requested"], done.events[-1]["stop_signal"]) == (True, "SIGTERM")


def test_one_that_becomes_sigstop_stops_it(panicmon):
    run = panicmon.start(["sleep", "1000"], options=["process.rewrite=USR1:STOP"])
    command = run.command()
    run.send(signal.SIGUSR1)
    pm.wait_until(lambda: procfs.state(command) == "T", what="the stop")
    pm.wait_until(lambda: procfs.state(run.pid) == "S", what="panicmon, which is not stopped, to sleep")
    run.send(signal.SIGCONT)
    pm.wait_until(lambda: procfs.state(command) == "S", what="the end of the stop")
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGTERM


def test_the_value_stays_with_the_other_signal(panicmon, sigcount):
    run = sigcount(f"rewrite=RTMIN:USR2 USR1:{int(signal.SIGRTMIN) + 2}")
    for number in (signal.SIGRTMIN, signal.SIGUSR1):
        assert panicmon.spawn([pm.tool("sigqueue_storm"), run.pid, 1, int(number), 42]).wait(pm.DEADLINE) == 0
    pm.wait_until(lambda: len(pm.taken(run.taken)) == 2, what="the signals")
    assert sorted(pm.taken(run.taken)) == [(signal.SIGUSR2, 42), (signal.SIGRTMIN + 2, 42)]
    run.send(END)
    run.wait()


# ---- signal_target ----

FAMILY = """
trap 'echo parent got it' USR1
"$1" -q 15 "$2" >/dev/null &
until [ -e "$2" ]; do :; done
echo ready
while :; do wait; done
"""


@pytest.mark.parametrize("target, reached", [("process", []), ("group", [signal.SIGUSR1])])
def test_the_group_gets_it_if_asked(panicmon, tmp_path, target, reached):
    run = panicmon.start(["sh", "-c", FAMILY, "sh", pm.tool("sigcount"), tmp_path / "taken"],
                         options=[f"process.signal_target={target}"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGUSR1)
    run.wait_for_stdout("parent got it")
    child = [pid for pid in procfs.children(run.command()) if procfs.comm(pid) == "sigcount"][0]
    os.kill(child, signal.SIGPWR)
    pm.wait_until(lambda: signal.SIGPWR in pm.numbers_taken(tmp_path / "taken"), what="the marker")
    assert pm.numbers_taken(tmp_path / "taken") == [*reached, signal.SIGPWR]
    os.kill(child, signal.SIGTERM)
    run.send(signal.SIGKILL)
    run.wait()


# Joins the group of panicmon, so that it leads none any more.
LEAVER = """
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.setpgid(0, os.getpgid(os.getppid()))
print("ready", flush=True)
signal.sigwait([signal.SIGUSR1])
print("got it", flush=True)
signal.pause()
"""


def test_one_that_has_left_its_group_is_reached_by_itself(panicmon):
    run = panicmon.start([shutil.which("python3"), "-S", "-c", LEAVER],
                         options=["process.signal_target=group", "process.stop_timeout=100ms", "process.rewrite=TERM:URG"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGUSR1)
    run.wait_for_stdout("got it")
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGKILL


# ---- stop_timeout ----

# Says what it hears, and stays.
DEAF = "trap 'echo heard TERM' TERM; trap 'echo heard INT' INT; trap 'echo heard HUP' HUP; echo ready; " \
    "while :; do sleep 0.05; done"


def killed(events):
    return [event for event in events if event["event"] == "signal.passed" and event["signal"] == "SIGKILL"]


@pytest.mark.parametrize("number, rewrite", [
    (signal.SIGTERM, "TERM:TERM"), (signal.SIGINT, "TERM:TERM"), (signal.SIGQUIT, "QUIT:HUP"), (signal.SIGHUP, "HUP:TERM")])
def test_after_the_timeout_it_is_killed_and_that_is_told(panicmon, number, rewrite):
    """As it came or as it was rewritten, the signal asks to stop."""
    run = panicmon.start(["sh", "-c", DEAF], options=["process.stop_timeout=300ms", f"process.rewrite={rewrite}"])
    run.wait_for_stdout("ready")
    command = run.command()
    run.send(number)
    done = run.wait()
    assert done.status == -signal.SIGKILL
    assert done.names == ["process.started", "signal.received", "signal.passed", "signal.passed", "process.exited"]
    [kill] = killed(done.events)
    assert (kill["pid"], kill["target_pid"], kill["sender_pid"]) == (command, command, run.pid)
    exited = done.events[-1]
    assert (exited["signal"], exited["reason"], exited["stop_requested"], exited["stop_signal"]) == (
        "SIGKILL", "stop-timeout", True, signal.Signals(number).name)


def test_killed_by_another_before_the_timeout(panicmon):
    run = panicmon.start(["sh", "-c", DEAF], options=["process.stop_timeout=60s"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGTERM)
    run.wait_for_stdout("heard TERM")
    os.kill(run.command(), signal.SIGKILL)
    exited = run.wait().events[-1]
    assert (exited["signal"], exited["reason"], exited["stop_requested"]) == ("SIGKILL", "signaled", True)


def moment(event):
    return datetime.datetime.strptime(event["time"], "%Y-%m-%dT%H:%M:%S.%fZ").timestamp()


def test_the_timeout_begins_with_the_first_and_a_second_does_not_put_it_off(panicmon):
    run = panicmon.start(["sh", "-c", DEAF], options=["process.stop_timeout=1s"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGTERM)

    def ended():
        run.send(signal.SIGINT)
        run.send(signal.SIGTERM)
        return run.popen.poll() is not None
    # All the time: put off by each, it would not come while they do.
    pm.wait_until(ended, what="the end")
    done = run.wait()
    assert done.status == -signal.SIGKILL
    first = next(event for event in done.events if event["event"] == "signal.passed")
    assert moment(killed(done.events)[0]) - moment(first) >= 0.9


def test_one_that_does_not_ask_to_stop_begins_no_timeout(panicmon):
    run = panicmon.start(["sh", "-c", DEAF], options=["process.stop_timeout=100ms", "process.rewrite=INT:0"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGHUP)
    run.wait_for_stdout("heard HUP")
    run.send(signal.SIGINT)  # dropped: the command does not know
    run.wait_for_event("signal.received", 2)
    with pytest.raises(AssertionError):
        pm.wait_until(lambda: killed(run.events) or run.popen.poll() is not None, deadline=0.5)
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGKILL


def test_one_that_stops_in_time_is_not_killed(panicmon, tmp_path):
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), tmp_path / "taken"],
                         options=["process.stop_timeout=60s"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGTERM)
    done = run.wait(deadline=30)
    assert done.status == 0 and killed(done.events) == []


@pytest.mark.parametrize("group", ["new", "session", "inherit"])
def test_the_kill_goes_to_the_whole_group(panicmon, group):
    """But with inherit, where the group is that of panicmon and of whoever started it."""
    run = panicmon.start(["sh", "-c", f"{pm.tool('stubborn')} 2 & trap '' TERM; wait; wait; exit 1"],
                         options=["process.stop_timeout=100ms", f"process.group={group}"], process_group=0)
    run.wait_for_stdout("stubborn")
    command = run.command()
    rest = procfs.descendants(command)
    assert len(rest) == 3
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGKILL
    if group == "inherit":
        assert procfs.living(rest) == rest
        for pid in rest:
            os.kill(pid, signal.SIGKILL)
    pm.wait_until(lambda: not procfs.living(rest), what="the end of the group")


def test_a_stopped_one_is_killed_too(panicmon):
    """It cannot even hear SIGTERM."""
    run = panicmon.start(["sleep", "1000"], options=["process.stop_timeout=200ms"])
    command = run.command()
    os.kill(command, signal.SIGSTOP)
    pm.wait_until(lambda: procfs.state(command) == "T", what="the stop")
    run.send(signal.SIGTERM)
    assert run.wait().status == -signal.SIGKILL
