"""What conf/ shows does what it says there: the systemd unit and the container."""
import configparser
import json
import os
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import uuid

import pytest

import pm

UNIT = pm.source_dir() / "conf" / "example.service"
CONTAINER = pm.source_dir() / "conf" / "container"
PYTHON = [sys.executable, "-S", "-c"]
SIGRTMIN = int(signal.SIGRTMIN)

needs_namespace = pytest.mark.skipif(not pm.can_unshare(), reason="no new pid namespace here")


def without_continuations(text):
    """A line that ends with a backslash goes on in the next."""
    return re.sub(r"\\\n\s*", " ", text)


def of_this_build(panicmon, text="[panicmon]\n[handler:log]\n"):
    """The path of a config that is `text`, but for where the plugins are."""
    text = text.replace("[panicmon]\n", f"[panicmon]\nhandler_dir = {panicmon.handler_dir}\n")
    if not pm.is_trusted(panicmon.handler_dir):
        text = text.replace("[handler:log]\n", "[handler:log]\ntrust_path = yes\n")
    return panicmon.config(text)


# The unit.


def unit():
    parser = configparser.ConfigParser(interpolation=None, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str
    parser.read_string(without_continuations(UNIT.read_text(encoding="utf-8")))
    return parser["Service"]


def seconds(duration):
    assert re.fullmatch(r"[0-9]+s", duration)
    return int(duration[:-1])


@pytest.fixture
def service(panicmon, tmp_path):
    """Starts the line of ExecStart around another command."""
    def start(command, *, options=(), env=None, **arguments):
        line = unit()["ExecStart"].replace("%L", str(tmp_path)).replace("%N", "api")
        program, *words = shlex.split(line)
        assert program == "/usr/bin/panicmon"
        (tmp_path / "api").mkdir()
        env = {"PANICMON_CONFIG": str(of_this_build(panicmon)), **(env or {})}
        run = panicmon.start_raw([*options, *words[:words.index("--")], "--", *command], env=env, **arguments)
        run.events_path = tmp_path / "api" / "events.json"
        return run
    return start


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_no_fault_with_the_unit(tmp_path, panicmon):
    """It looks for the program too. Its status is 0 also for what it only warns of."""
    copy = tmp_path / UNIT.name
    copy.write_text(UNIT.read_text(encoding="utf-8").replace("/usr/bin/panicmon", panicmon.path), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", copy],
                          capture_output=True, text=True, timeout=pm.DEADLINE, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_the_service_has_ended_before_systemd_kills_it():
    stop, drain = (re.search(rf"-o {key}=(\S+)", unit()["ExecStart"]).group(1)
                   for key in ("process.stop_timeout", "panicmon.drain_timeout"))
    assert unit()["KillMode"] == "mixed"
    assert seconds(unit()["TimeoutStopSec"]) > seconds(stop) + seconds(drain)


def test_a_stop_reaches_the_command_once(service, tmp_path):
    """As with KillMode=mixed: to panicmon alone, SIGTERM and then SIGCONT."""
    run = service([pm.tool("sigcount"), "-q", SIGRTMIN, tmp_path / "taken"])
    run.wait_for_stdout("ready")
    run.send(signal.SIGTERM)
    run.send(signal.SIGCONT)
    # In the order of their numbers: a second SIGTERM would come before the real-time one.
    pm.wait_until(lambda: "18 0\n" in (tmp_path / "taken").read_text(), what="SIGCONT")
    run.send(SIGRTMIN)
    done = run.wait()
    assert done.status == 0
    taken = [line.split()[0] for line in (tmp_path / "taken").read_text().splitlines()]
    assert sorted(taken[:2]) == ["15", "18"]
    assert taken[2:] == [str(SIGRTMIN), "end"]
    passed = [event["signal"] for event in done.events if event["event"] == "signal.passed"]
    assert sorted(passed[:2]) == ["SIGCONT", "SIGTERM"] and len(passed) == 3
    assert {event["name"] for event in done.events} == {"api"}


SAY_READY = """
import os, signal, socket
to = os.environ["NOTIFY_SOCKET"]
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.connect("\\0" + to[1:] if to[0] == "@" else to)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
manager.send(b"READY=1\\nSTATUS=serving")
signal.sigwait([signal.SIGTERM])
manager.send(b"STOPPING=1")
"""


@pytest.fixture(params=["path", "abstract"])
def manager(request):
    """The service manager's end of $NOTIFY_SOCKET: its name, and receive() -> (lines, pid of the sender)."""
    credentials = struct.Struct("3i")
    with tempfile.TemporaryDirectory(prefix="pm-") as folder, \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.settimeout(pm.DEADLINE)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        name = "@" + uuid.uuid4().hex if request.param == "abstract" else f"{folder}/notify"
        end.bind("\0" + name[1:] if name[0] == "@" else name)

        def receive():
            text, ancillary, _, _ = end.recvmsg(4096, socket.CMSG_SPACE(credentials.size))
            [(_, kind, data)] = ancillary
            assert kind == socket.SCM_CREDENTIALS
            return text.decode().splitlines(), credentials.unpack(data[:credentials.size])[0]
        yield name, receive


def test_what_the_command_says_reaches_the_manager(service, manager):
    """From the command, not from the main process: so NotifyAccess=main would not do."""
    name, receive = manager
    run = service([*PYTHON, SAY_READY], env={"NOTIFY_SOCKET": name})
    command = run.command()
    assert command != run.pid
    assert receive() == (["READY=1", "STATUS=serving"], command)
    assert (unit()["Type"], unit()["NotifyAccess"]) == ("notify", "all")
    run.send(signal.SIGTERM)
    assert receive() == (["STOPPING=1"], command)
    assert run.wait().status == 0


def test_the_manager_is_told_the_main_process_if_asked(service, manager):
    """By panicmon, which is the main process until then, and before the command can say anything."""
    name, receive = manager
    run = service([*PYTHON, SAY_READY], env={"NOTIFY_SOCKET": name}, options=["-o", "process.notify_mainpid=yes"])
    command = run.command()
    assert receive() == ([f"MAINPID={command}"], run.pid)
    assert receive() == (["READY=1", "STATUS=serving"], command)
    run.send(signal.SIGTERM)
    assert run.wait().status == 0


# What systemd does between fork and exec, sd_listen_fds(3) and sd_watchdog_enabled(3).
ACTIVATE = """
import os, sys
listener, *command = sys.argv[1:]
os.dup2(int(listener), 3)
own = str(os.getpid())
os.environ.update(LISTEN_PID=own, LISTEN_FDS="1", LISTEN_FDNAMES="api.socket", LISTEN_PIDFDID="1",
                  WATCHDOG_PID=own, WATCHDOG_USEC="30000000")
os.execv(command[0], command)
"""

# Takes the socket only if it is meant for this process, as sd_listen_fds(3) does.
ACTIVATED = """
import json, os, socket
print(json.dumps([os.getpid(), dict(os.environ)]), flush=True)
if os.environ.get("LISTEN_PID") == str(os.getpid()) and os.environ.get("LISTEN_FDS") == "1":
    connection, _ = socket.socket(fileno=3).accept()
    connection.sendall(b"served")
"""


def test_a_socket_activated_command_takes_its_socket(service):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        run = service([*PYTHON, ACTIVATED], prefix=[*PYTHON, ACTIVATE, listener.fileno()],
                      pass_fds=[listener.fileno()])
        address = listener.getsockname()
    run.wait_for_stdout("\n")
    pid, environment = json.loads(run.stdout)
    assert pid != run.pid
    found = {name: environment.get(name) for name in
             ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_PID", "WATCHDOG_USEC")}
    assert found == {"LISTEN_PID": str(pid), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "api.socket", "LISTEN_PIDFDID": None,
                     "WATCHDOG_PID": str(pid), "WATCHDOG_USEC": "30000000"}
    with socket.create_connection(address, timeout=pm.DEADLINE) as client:
        assert client.recv(16) == b"served"
    assert run.wait().status == 0


# The container.


def instruction(name):
    """The words of the last one of that name, which must have the exec form: a JSON array."""
    text = without_continuations((CONTAINER / "Containerfile").read_text(encoding="utf-8"))
    return json.loads(re.findall(rf"^{name}\s+(.*)$", text, re.MULTILINE)[-1])


@pytest.fixture
def container(panicmon):
    """Runs as the first process: the line of ENTRYPOINT, then `command`. `edit`: of the shipped config."""
    def start(command, edit=lambda text: text):
        text = edit((CONTAINER / "panicmon.ini").read_text(encoding="utf-8"))
        program, *words = instruction("ENTRYPOINT")
        assert program == "/usr/bin/panicmon"
        config = of_this_build(panicmon, text)
        run = panicmon.start_raw([*panicmon.trust(config, pm.UNSHARE), *words, *command], prefix=pm.UNSHARE,
                                 env={"PANICMON_CONFIG": str(config)})
        run.events_path = run.folder / "stdout"
        return run
    return start


def printed(run):
    """What is on stdout: the lines of the command, and the events."""
    lines = run.stdout.splitlines()
    return ([line for line in lines if not line.startswith("{")],
            [json.loads(line) for line in lines if line.startswith("{")])


def test_docker_stop_leaves_time_for_all_of_it():
    text = (CONTAINER / "panicmon.ini").read_text(encoding="utf-8")
    assert sum(seconds(re.search(rf"^{key} = (.*)$", text, re.MULTILINE).group(1))
               for key in ("stop_timeout", "drain_timeout")) < 10


@needs_namespace
def test_the_container_serves_and_is_stopped_by_term(container):
    """The very command of CMD, which as the first process would not be stopped."""
    run = container(instruction("CMD"))
    run.wait_for_stdout("serving\n")
    os.kill(run.first_process(), signal.SIGTERM)
    assert run.wait().status == 128 + signal.SIGTERM
    lines, events = printed(run)
    assert lines == ["serving"]
    assert pm.names(events) == ["process.started", "signal.received", "signal.passed", "process.exited"]
    assert (events[0]["pid"] > 1, events[-1]["signal"], events[-1]["stop_requested"]) == (True, "SIGTERM", True)


DEAF = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print("deaf", flush=True)
signal.pause()
"""


@needs_namespace
def test_a_container_that_does_not_stop_is_killed_in_time_to_tell(container):
    run = container([*PYTHON, DEAF], edit=lambda text: text.replace("stop_timeout = 7s", "stop_timeout = 200ms"))
    run.wait_for_stdout("deaf\n")
    os.kill(run.first_process(), signal.SIGTERM)
    assert run.wait().status == 128 + signal.SIGKILL
    _, events = printed(run)
    assert [event["signal"] for event in events if event["event"] == "signal.passed"] == ["SIGTERM", "SIGKILL"]
    assert (events[-1]["event"], events[-1]["signal"]) == ("process.exited", "SIGKILL")


@needs_namespace
@pytest.mark.parametrize("command, status", [(["true"], 0), (["sh", "-c", "exit 3"], 3), (["no-such-command"], 127)])
def test_the_container_has_the_status_of_the_command(container, command, status):
    run = container(command)
    assert run.wait().status == status
    _, events = printed(run)
    assert pm.names(events) == ["process.started", "process.exited" if status != 127 else "process.failed"]


@needs_namespace
def test_what_the_container_config_has_as_comments_works(container):
    """All of it at once; with it, the stop that was asked for is no failure."""
    def uncomment(text):
        text, count = re.subn(r"^;(\w+ = )", r"\1", text, flags=re.MULTILINE)
        assert count == 4 and "\nremap = 143:0\n" in text
        return text
    run = container(instruction("CMD"), edit=uncomment)
    run.wait_for_stdout("serving\n")
    os.kill(run.first_process(), signal.SIGTERM)
    assert run.wait().status == 0
    assert printed(run)[1][-1]["signal"] == "SIGTERM"
