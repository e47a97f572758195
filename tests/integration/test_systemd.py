"""The example unit under systemd itself: a user's manager in namespaces of its own.

It has a /run and a cgroup that nobody else sees, knows no other unit than ours, and ends, with all that
it started, with the first process of its pid namespace, which is the shell of the test.
"""
import os
import pathlib
import shlex
import shutil
import signal
import sys
import uuid

import pytest

import pm
from test_conf import UNIT, of_this_build, unit

SYSTEMD = "/lib/systemd/systemd"
UNSHARE = ["unshare", "--mount", "--cgroup", "--pid", "--fork", "--kill-child", "--mount-proc"]
CANNOT = 77

# $1: the folder of the test; $2: what to do once the manager serves.
INSIDE = rf"""
mount -t tmpfs tmpfs /run && mount -t cgroup2 none /sys/fs/cgroup || exit {CANNOT}
mkdir -p /run/systemd/system /run/user "$1/home"
export XDG_RUNTIME_DIR=/run/user HOME="$1/home" SYSTEMD_UNIT_PATH="$1/units" SYSTEMD_LOG_TARGET=console
unset XDG_CONFIG_HOME XDG_STATE_HOME XDG_CACHE_HOME NOTIFY_SOCKET DBUS_SESSION_BUS_ADDRESS
{SYSTEMD} --user --unit=nothing.target >"$1/manager" 2>&1 &
until systemctl --user is-active -q nothing.target; do
	kill -0 $! || exit {CANNOT}
	sleep 0.02
done 2>/dev/null
control() {{ systemctl --user "$@"; }}
property() {{ control show --property="$1" --value api.service; }}
until_true() {{ until "$@"; do sleep 0.05; done; }}
taken="$1/taken"
set -e
eval "$2"
"""

# usage: FILE [deaf]    Says READY=1; writes its pid and what signals it takes to FILE.
SERVICE = """
import os, signal, socket, sys
def note(text):
    with open(sys.argv[1], "a") as file:
        file.write(text + "\\n")
signals = [signal.SIGTERM, signal.SIGHUP]
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
note(f"pid {os.getpid()}")
to = os.environ["NOTIFY_SOCKET"]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect("\\0" + to[1:] if to[0] == "@" else to)
manager.send(b"READY=1")
while True:
    taken = signal.Signals(signal.sigwait(signals))
    note(taken.name)
    if taken == signal.SIGTERM and "deaf" not in sys.argv:
        sys.exit(0)
"""

# As sd_listen_fds(3).
ACTIVATED = """
import os, socket
if os.environ["LISTEN_PID"] == str(os.getpid()):
    connection, _ = socket.socket(fileno=3).accept()
    connection.sendall(b"served")
"""

ASK = """
import socket
client = socket.socket(socket.AF_UNIX)
client.settimeout(30)
client.connect("/run/api")
print(client.recv(16).decode())
"""


def cgroup_folder():
    """Our own, of version 2; None: there is none."""
    own = [line[len("0::"):] for line in pathlib.Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
           if line.startswith("0::")]
    mounts = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
              if " - cgroup2 " in line]
    return pathlib.Path(mounts[0] + own[0]) if own and mounts else None


def remove_tree(folder):
    """Of cgroups, which have files that cannot be removed. Returns whether it is gone."""
    for place, _, _ in os.walk(folder, topdown=False):
        try:
            os.rmdir(place)
        except OSError:
            return False
    return True


@pytest.fixture
def cgroup():
    above = cgroup_folder()
    if os.geteuid() != 0:
        pytest.skip("only root can start a systemd of its own")
    if above is None or not os.access(above, os.W_OK):
        pytest.skip("no cgroup of version 2 to write to")
    folder = above / f"pm-{uuid.uuid4().hex}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no new cgroup: {error}")
    yield folder
    pm.wait_until(lambda: remove_tree(folder), what="the cgroup to be empty")


class Manager:
    """systemd, to which the example unit is api.service."""

    def __init__(self, panicmon, cgroup, folder):
        self.panicmon, self.cgroup, self.folder = panicmon, cgroup, folder
        self.add("nothing.target", "[Unit]\nDefaultDependencies=no\n")
        self.add("api.service", UNIT.read_text(encoding="utf-8"))

    def add(self, name, text):
        path = self.folder / "units" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def configure(self, command, *lines, options=(), config="[panicmon]\n[handler:log]\n"):
        """What the unit leaves to whoever copies it, and what is different on this machine. `options`
        come last, so they win."""
        start = unit()["ExecStart"].replace("/usr/bin/panicmon", self.panicmon.path)
        start = " ".join([start[:start.index(" -- ")], *(f"-o {option}" for option in options), "--", *map(str, command)])
        self.add("api.service.d/test.conf", "\n".join([
            "[Unit]", "DefaultDependencies=no", "[Service]", "User=",
            f"Environment=PANICMON_CONFIG={of_this_build(self.panicmon, config)}",
            "TimeoutStartSec=20s", "ExecStart=", f"ExecStart={start}", *lines, ""]))

    def run(self, script):
        """The lines that it prints."""
        enter = f"echo $$ >{self.cgroup}/cgroup.procs && exec \"$@\""
        out = self.folder / "out"
        with open(out, "wb") as file:
            status = self.panicmon.spawn(
                ["sh", "-c", enter, "-", *UNSHARE, "sh", "-c", INSIDE, "-", self.folder, script],
                stdout=file, stderr=file).wait(pm.DEADLINE)
        if status == CANNOT:
            pytest.skip("systemd cannot run here: " + (self.folder / "manager").read_text(errors="replace"))
        assert status == 0, out.read_text() + (self.folder / "manager").read_text(errors="replace")
        return out.read_text(encoding="utf-8").splitlines()

    def events(self):
        """Of the file in LogsDirectory, wherever this systemd has it."""
        [path] = (self.folder / "home").rglob("api/events.json")
        return pm.read_events(path)


@pytest.fixture
def manager(panicmon, cgroup, tmp_path):
    if not all(map(shutil.which, [SYSTEMD, "systemctl", "unshare"])):
        pytest.skip("no systemd")
    return Manager(panicmon, cgroup, tmp_path)


@pytest.fixture
def program(tmp_path):
    """The words that run a text: a unit's line is no place for it."""
    def write(text, *arguments):
        path = tmp_path / "program.py"
        path.write_text(text, encoding="utf-8")
        return [sys.executable, "-S", path, *arguments]
    return write


@pytest.fixture
def taken(tmp_path):
    return tmp_path / "taken"


def passed(events):
    return [event["signal"] for event in events if event["event"] == "signal.passed"]


def test_a_service_gets_ready_reloads_and_stops(manager, program, taken):
    manager.configure(program(SERVICE, taken))
    started, stopped, result = manager.run("""
        control start api; property ActiveState
        control reload api; until_true grep -q HUP $taken
        control stop api; property ActiveState; property Result""")
    assert (started, stopped, result) == ("active", "inactive", "success")
    assert taken.read_text().splitlines()[1:] == ["SIGHUP", "SIGTERM"]
    events = manager.events()
    # systemd sends SIGCONT too, which finds the command there or not.
    assert passed(events)[:2] == ["SIGHUP", "SIGTERM"] and set(passed(events)[2:]) <= {"SIGCONT"}
    assert (events[-1]["event"], events[-1]["code"], events[-1]["stop_requested"]) == ("process.exited", 0, True)


def test_one_that_does_not_stop_is_killed_by_panicmon_which_tells(manager, program, taken):
    manager.configure(program(SERVICE, taken, "deaf"), options=["process.stop_timeout=200ms"])
    result, status = manager.run("control start api; control stop api; property Result; property ExecMainStatus")
    assert (result, int(status)) == ("signal", signal.SIGKILL)
    events = manager.events()
    assert sorted(passed(events)) == ["SIGCONT", "SIGKILL", "SIGTERM"]
    assert (events[-1]["event"], events[-1]["signal"]) == ("process.exited", "SIGKILL")


def test_a_failure_is_seen_and_the_service_started_again(manager, program, taken):
    manager.configure(program(SERVICE, taken))
    pid, restarts = manager.run("""
        control start api
        pid=$(sed -n 's/^pid //p' $taken); kill -KILL $pid; echo $pid
        restarted() { [ "$(property NRestarts)" = 1 ]; }; until_true restarted
        until_true control is-active -q api; property NRestarts
        control stop api""")
    assert restarts == "1"
    events = manager.events()
    assert pm.names(events).count("process.exited") == 2
    first = next(event for event in events if event["event"] == "process.exited")
    assert (first["pid"], first["signal"], first["stop_requested"]) == (int(pid), "SIGKILL", False)


def test_a_mistake_in_the_config_is_not_tried_again(manager, program, taken):
    manager.configure(program(SERVICE, taken), config="[panicmon]\nno_such_key = 1\n[handler:log]\n")
    assert manager.run("""
        control start api 2>/dev/null && exit 1
        property ActiveState; property ExecMainStatus; property NRestarts""") == ["failed", "125", "0"]
    assert not taken.exists()


def test_a_socket_activated_service_takes_its_socket(manager, program):
    manager.add("api.socket", "[Unit]\nDefaultDependencies=no\n[Socket]\nListenStream=/run/api\n")
    manager.configure(program(ACTIVATED), "Type=exec")
    served, result = manager.run(f"""
        control start api.socket
        {sys.executable} -c {shlex.quote(ASK)}
        ended() {{ [ "$(property ActiveState)" = inactive ]; }}; until_true ended; property Result""")
    assert (served, result) == ("served", "success")


def test_the_command_can_be_the_main_process(manager, program, taken):
    """With all that the unit's comments say belongs to it: with KillMode=mixed it would be killed."""
    manager.configure(program(SERVICE, taken), "NotifyAccess=main", "KillMode=control-group",
                      options=["process.notify_mainpid=yes"])
    main, result = manager.run("control start api; property MainPID; control stop api; property Result")
    pid, *signals = taken.read_text().splitlines()
    assert (pid, result) == (f"pid {main}", "success")
    assert set(signals) == {"SIGTERM"}
    assert manager.events()[-1]["code"] == 0
