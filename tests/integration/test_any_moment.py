"""Whatever the moment at which a signal comes, it is passed on, or told as failed."""
import collections
import signal

import pytest

import many
import pm

TAKEN_BY_NONE = {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}
REALTIME = range(32, signal.SIGRTMAX + 1)
# SIGCONT and the stop signals drop each other from the queue of whom they are sent to (signal(7),
# POSIX XSH 2.4.1), so not both can be sent at once.
STOPS = {signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU}
KILLED = {
    "with-the-stop-signals": set(range(1, signal.SIGRTMAX + 1)) - TAKEN_BY_NONE - {signal.SIGCONT},
    "with-SIGCONT": set(range(1, signal.SIGRTMAX + 1)) - TAKEN_BY_NONE - STOPS,
}


def of_events(events, *names):
    return collections.Counter((event["signo"], event.get("value", 0)) for event in events if event["event"] in names)


@pytest.mark.parametrize("which", list(KILLED))
def test_every_signal_in_the_first_50_ms_of_500_starts(panicmon, which):
    """All of 1 to 64 by kill(2), the real-time ones once more by sigqueue(3), each with its own value.
    Blocked from the beginning, so that the command loses none before it can take them."""
    kill = KILLED[which]
    count = len(kill) + len(REALTIME)
    starts = many.run(panicmon, many.fewer(500), [pm.tool("sigcount"), "-n", count, "@.taken"], kill=kill, queue=REALTIME,
                      blocked=True)
    assert starts.statuses == {0}
    for start, _, _ in starts.lines:
        wanted = collections.Counter([(int(number), 0) for number in kill] +
                                     [(number, start * 64 + number) for number in REALTIME])
        events = starts.events(start)
        failed = of_events(events, "signal.failed")
        where = f"start {start} of seed {starts.seed}"
        assert collections.Counter(starts.taken(start)) + failed == wanted, where
        assert of_events(events, "signal.received") == wanted, where
        assert of_events(events, "signal.passed") + failed == wanted, where
        assert not failed, where


def test_signals_that_come_while_the_command_ends(panicmon):
    """It ends by the fifth. What comes after that is told as failed, or is not taken in any more."""
    realtime = range(40, 60)
    starts = many.run(panicmon, many.fewer(200), [pm.tool("sigcount"), "-n", 5, "@.taken"], queue=realtime, blocked=True,
                      within=many.window(panicmon, 20))
    assert starts.statuses == {0}
    failures = 0
    for start, _, _ in starts.lines:
        sent = collections.Counter((number, start * 64 + number) for number in realtime)
        events = starts.events(start)
        received, passed, failed = (of_events(events, name) for name in ("signal.received", "signal.passed", "signal.failed"))
        where = f"start {start} of seed {starts.seed}"
        assert events[-1]["event"] == "process.exited", where
        assert passed + failed == received <= sent, where
        assert collections.Counter(starts.taken(start)) <= passed, where
        assert {event["errno"] for event in events if event["event"] == "signal.failed"} <= {"ESRCH"}, where
        failures += failed.total()
    # Or it was no test; but where a start is slow, all of them come before the command.
    assert failures > 0 or pm.is_sanitized()
