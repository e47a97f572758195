"""What every end-to-end test uses: the built panicmon, its processes, its events, and a strict end.

Each test gets an id in the environment of all that it starts (PM_TEST_ID), and the pytest process is
a child subreaper, so that nothing gets away: what is still there after a test is killed, and the
test has failed.
"""
import ctypes
import os
import pathlib
import shutil
import signal
import tempfile
import uuid

import pytest

import incidents
import pm
import procfs
import terminals

PR_SET_CHILD_SUBREAPER = 36

# Of a test that passed: processes may still be on their way out for so long.
LEAVE_DEADLINE = 30


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    if call.when == "call":
        item.pm_failed = outcome.get_result().failed


@pytest.fixture(scope="session", autouse=True)
def _subreaper():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


@pytest.fixture(scope="session", autouse=True)
def _default_signals():
    """Whatever started pytest may ignore or block signals (a shell's `&` does), and all that a test
    starts would inherit it."""
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    for number in signal.valid_signals():
        # Python ignores these two itself, and subprocess restores them.
        if number not in (signal.SIGPIPE, signal.SIGXFSZ) and signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope="session")
def build_dir():
    return pm.build_dir()


@pytest.fixture(scope="session")
def fixture_dir():
    """The folder with the fixture plugins: hang_event.so..."""
    return pm.build_dir() / "tests" / "handlers" / ".libs"


@pytest.fixture
def panicmon(tmp_path, request):
    """A pm.Panicmon: run() and start()."""
    before = set(procfs.children(os.getpid()))
    test_id = uuid.uuid4().hex
    helper = pm.Panicmon(tmp_path, test_id)
    yield helper

    def left():
        return procfs.living(procfs.marked("PM_TEST_ID", test_id) |
                             procfs.descendants(os.getpid(), without=before))

    leftovers = []
    if not getattr(request.node, "pm_failed", False):
        try:
            pm.wait_until(lambda: not left(), deadline=LEAVE_DEADLINE, what="the processes of the test to end")
        except AssertionError:
            leftovers = sorted(procfs.describe(pid) for pid in left())
    pm.kill_all(left)
    helper.reap(before)
    for close in helper.afterwards:
        close()
    assert not leftovers, "the test left processes behind: " + "; ".join(leftovers)


@pytest.fixture
def alerts(panicmon, tmp_path):
    return incidents.Alerts(panicmon, tmp_path)


@pytest.fixture
def terminal(panicmon):
    """A terminals.Terminal. It is closed after the processes were looked for: it would end them."""
    made = terminals.Terminal()
    panicmon.afterwards.append(made.close)
    return made


@pytest.fixture
def shell(panicmon, terminal):
    """An interactive shell on the terminal, with job control."""
    popen = panicmon.spawn(["bash", "--norc", "--noprofile", "-i"], stdin=terminal.slave, stdout=terminal.slave,
                           stderr=terminal.slave, preexec_fn=terminals.lead_session,
                           env={"PS1": "PROMPT> ", "HISTFILE": "", "TERM": "dumb", "INPUTRC": "/dev/null"})
    terminal.wait_for("PROMPT> ")
    yield popen
    popen.kill()
    popen.wait(pm.DEADLINE)


@pytest.fixture
def public_folder():
    """One that everybody can write to."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="panicmon-test-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)
