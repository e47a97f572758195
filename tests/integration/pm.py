"""Runs the built panicmon for a test: Panicmon, Run, Completed, wait_until."""
import functools
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import procfs

DEADLINE = 60  # seconds; generous: valgrind, sanitizers and busy machines
HOST_PREFIX = "pm:"  # of a handler host's name in /proc/PID/comm, which ends after 15 characters
# Plugins that are ready and end as soon as they can, but for those of the fixtures that are told not to.
ENDING = {"log", "statsd", "exec", "webhook", "alert", "future", "held", "hostile", "past", "patient"}
NOT_ENDING = r"^(how = (hang|spin|stop)|where = (check|open))"
GUARD = "pm-guard"  # the name of the process that is there in case that panicmon is killed

# Runs a command as the first process of a pid namespace.
AS_ROOT = [] if os.geteuid() == 0 else ["--map-root-user"]
UNSHARE = ["unshare", *AS_ROOT, "--pid", "--fork", "--mount-proc", "--kill-child"]
PRIVATE_MOUNTS = ["unshare", *AS_ROOT, "--mount"]


def build_dir():
    return pathlib.Path(os.environ["PM_BUILD_DIR"]).resolve()


def source_dir():
    named = os.environ.get("PM_SOURCE_DIR")
    return pathlib.Path(named) if named else pathlib.Path(__file__).parents[2]


def tool(name):
    """A program of tests/tools: sigcount, sigqueue_storm."""
    return str(build_dir() / "tests" / "tools" / name)


def is_sanitized():
    """Whether the build has sanitizers, which take memory of their own and look for leaks at exit."""
    return os.environ.get("PM_SANITIZED", "0") != "0" or "ASAN_OPTIONS" in os.environ


def is_trusted(path):
    """Whether panicmon would load plugins from there: the build may be in anybody's folder."""
    path = pathlib.Path(path).resolve()
    for place in [path, *path.parents]:
        status = place.stat()
        if status.st_uid not in (0, os.geteuid()) or status.st_mode & 0o1022 in (0o020, 0o002, 0o022):
            return False
    return True


def wait_until(condition, deadline=DEADLINE, what="the condition"):
    """Returns the first true value of condition(); AssertionError after `deadline` seconds. `what`:
    for people, a text or a function that makes it then."""
    end = time.monotonic() + deadline
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {deadline} s for {what() if callable(what) else what}")
        time.sleep(0.005)


def read_events(path, torn=0):
    """The events of a JSON-lines file, in order. A line that is still being written is left out, and so
    are up to `torn` that a host was killed in the middle of."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    events = []
    for line in text.splitlines(keepends=True):
        try:
            if line.endswith("\n"):
                events.append(json.loads(line))
        except json.JSONDecodeError:
            torn -= 1
            if torn < 0:
                raise
    return events


def names(events):
    return [event["event"] for event in events]


def taken(path):
    """[(number, value)] of sigcount's file."""
    path = pathlib.Path(path)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    return [tuple(map(int, line.split())) for line in lines if line[:1].isdigit() and line.endswith("\n")]


def numbers_taken(path):
    return [number for number, _ in taken(path)]


def succeeds(command):
    return shutil.which(command[0]) is not None and subprocess.run(
        command, capture_output=True, check=False).returncode == 0


@functools.cache
def can_unshare():
    """Whether UNSHARE works here."""
    return succeeds([*UNSHARE, "true"])


@functools.cache
def can_mount(*more):
    """Whether something can be mounted with PRIVATE_MOUNTS here, and `more` options of unshare."""
    return succeeds([*PRIVATE_MOUNTS, *more, "mount", "-t", "tmpfs", "tmpfs", "/tmp"])


def kill_all(find):
    """SIGKILLs what find() returns until it returns nothing."""
    def none_left():
        pids = find()
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        return not pids
    wait_until(none_left, what="killed processes to be gone")


class Completed:
    """A panicmon that has ended. status: as of subprocess, -N for signal N."""

    def __init__(self, status, stdout, stderr, events_path, seconds):
        self.status = status
        self.stdout = stdout
        self.stderr = stderr
        self.events_path = events_path
        self.seconds = seconds

    @property
    def events(self):
        return read_events(self.events_path)

    @property
    def names(self):
        return names(self.events)

    def __repr__(self):
        return f"<status {self.status}, stderr {self.stderr!r}>"


class Run:
    """A panicmon that runs. As a context manager it is killed at the end of the block."""

    def __init__(self, popen, folder, events_path):
        self.popen = popen
        self.pid = popen.pid
        self.folder = folder
        self.events_path = events_path
        self.begun = time.monotonic()

    @property
    def events(self):
        return read_events(self.events_path)

    @property
    def stdout(self):
        return (self.folder / "stdout").read_text(errors="replace")

    @property
    def stderr(self):
        return (self.folder / "stderr").read_text(errors="replace")

    def send(self, number):
        self.popen.send_signal(number)

    def _until(self, condition, deadline, what):
        """Of what can only come while panicmon runs."""
        def met():
            ended = self.popen.poll()
            value = condition()
            assert value or ended is None, f"panicmon ended with {ended} before {what}; stderr: {self.stderr}"
            return value
        return wait_until(met, deadline, lambda: f"{what}; stderr: {self.stderr}")

    def wait_for_event(self, name, count=1, deadline=DEADLINE):
        """Returns the count-th event of that name."""
        def found():
            those = [event for event in self.events if event["event"] == name]
            return those[count - 1] if len(those) >= count else None
        return wait_until(found, deadline, lambda: f"{name} number {count}; stderr: {self.stderr}")

    def wait_for_stdout(self, text, deadline=DEADLINE):
        self._until(lambda: text in self.stdout, deadline, f"{text!r} on stdout")

    def command(self, deadline=DEADLINE):
        """The pid of the command, once it has been exec'd."""
        return self.commands(1, deadline)[0]

    def commands(self, count, deadline=DEADLINE):
        """The pids of so many commands, once all have been exec'd."""
        own = procfs.exe(self.pid)

        def exec_done():
            pids = [child for child in procfs.children(self.pid)
                    if procfs.alive(child) and procfs.exe(child) not in (None, own)]
            return pids if len(pids) >= count else None
        return self._until(exec_done, deadline, f"{count} of the command ran")

    def first_process(self):
        """panicmon, seen from outside, where `prefix` is UNSHARE: its child."""
        return wait_until(lambda: [pid for pid in procfs.children(self.pid) if procfs.comm(pid) == "panicmon"],
                          what="panicmon")[0]

    def hosts(self):
        """The handler hosts that live: {"log": pid}."""
        named = {procfs.comm(child): child for child in procfs.children(self.pid) if procfs.alive(child)}
        return {name[len(HOST_PREFIX):]: pid for name, pid in named.items() if name.startswith(HOST_PREFIX)}

    def guard(self, deadline=DEADLINE):
        """The pid of the guard, once there is one."""
        def found():
            return [child for child in procfs.children(self.pid) if procfs.comm(child) == GUARD]
        return self._until(found, deadline, "there was a guard")[0]

    def is_draining(self):
        """Whether nothing is left but hosts and the guard: the command has been reaped."""
        return all(procfs.comm(child).startswith((HOST_PREFIX, GUARD)) for child in procfs.children(self.pid))

    def host(self, name="log", other_than=None, deadline=DEADLINE):
        """The pid of a handler's host, once there is one; `other_than`: of the next after that."""
        def found():
            pid = self.hosts().get(name)
            return pid if pid != other_than else None
        return self._until(found, deadline, f"there was a host of {name}")

    def wait(self, deadline=DEADLINE):
        try:
            status = self.popen.wait(deadline)
        except subprocess.TimeoutExpired:
            tree = "; ".join(procfs.describe(pid) for pid in procfs.descendants(self.pid) | {self.pid})
            raise AssertionError(
                f"panicmon still runs after {deadline} s: {tree}; stderr: {self.stderr}") from None
        return Completed(status, self.stdout, self.stderr, self.events_path, time.monotonic() - self.begun)

    def kill(self):
        """Kills panicmon and all below it, and waits for the end of each."""
        pids = procfs.descendants(self.pid) | {self.pid}
        kill_all(lambda: procfs.living(pids))
        self.popen.wait(DEADLINE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.popen.poll() is None:
            self.kill()


class Panicmon:
    """What the fixture `panicmon` is."""

    def __init__(self, folder, test_id):
        self.folder = folder
        self.path = str(build_dir() / "panicmon")
        self.handler_dir = build_dir() / ".libs"
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("PANICMON_")}
        self.environment["PM_TEST_ID"] = test_id
        self.afterwards = []  # to be called when all processes of the test are gone
        self._runs = []

    def config(self, text, name="test.ini"):
        """Writes a config file into the test's folder and returns its path."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path

    def log_section(self, name, path, **keys):
        """A section of a config for a log handler that writes JSON to `path`."""
        keys = {"plugin": "log", "format": "json", "path": path, **keys}
        if not is_trusted(self.handler_dir):
            keys["trust_path"] = "yes"
        return f"[handler:{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())

    @staticmethod
    def patience(config, options):
        """Deadlines that no slow machine meets, where no handler waits for them and a test says nothing of
        deadlines itself."""
        if not pathlib.Path(config).is_file() or not os.access(config, os.R_OK):
            return []
        said = pathlib.Path(config).read_text(encoding="utf-8", errors="replace") + "".join(options)
        if not set(re.findall(r"^plugin = (?:.*/)?(\w+)", said, re.M)) <= ENDING or re.search(NOT_ENDING, said, re.M):
            return []
        return [word for key in ("start_timeout", "drain_timeout") if key not in said
                for word in ("-o", f"panicmon.{key}=60s")]

    @staticmethod
    def trust(config, prefix):
        """In an ordinary user's namespace the folders that are root's are taken for anybody's."""
        if not set(AS_ROOT) & set(prefix):
            return []
        names = re.findall(r"^\[handler:(.+)\]$", pathlib.Path(config).read_text(encoding="utf-8"), re.MULTILINE)
        return [word for name in names for word in ("-o", f"handler:{name}.trust_path=yes")]

    def arguments(self, command, config=None, options=(), name=None, events=True, prefix=()):
        """The command line. Without `config` (a path) it is one log handler that writes JSON to
        `events_path`, or an empty config if `events` is False. `options`: of -o, as written."""
        run_folder = self.folder / f"run{len(self._runs)}"
        run_folder.mkdir()
        self.events_path = run_folder / "events"
        if config is None:
            text = self.log_section("log", self.events_path) if events else ""
            config = run_folder / "panicmon.ini"
            config.write_text(text, encoding="utf-8")
        line = [self.path, "-c", str(config), "-o", f"panicmon.handler_dir={self.handler_dir}"]
        line += self.patience(config, options) + self.trust(config, prefix)
        for option in options:
            line += ["-o", option]
        if name is not None:
            line += ["-n", name]
        return run_folder, line + ["--", *map(str, command)]

    def start(self, command, *, config=None, options=(), name=None, events=True, prefix=(), env=None,
              stdin=subprocess.DEVNULL, cwd=None, **popen_arguments):
        """Starts panicmon around `command` (a list) and returns a Run. `prefix`: what runs
        panicmon itself, such as ["setpriv", ...]."""
        folder, line = self.arguments(command, config, options, name, events, prefix)
        return self._spawn(folder, [*prefix, *line], env, stdin, cwd, popen_arguments)

    def start_raw(self, arguments, *, prefix=(), env=None, stdin=subprocess.DEVNULL, cwd=None,
                  **popen_arguments):
        """panicmon with exactly these arguments."""
        folder = self.folder / f"run{len(self._runs)}"
        folder.mkdir()
        self.events_path = folder / "events"
        line = [*map(str, prefix), self.path, *map(str, arguments)]
        return self._spawn(folder, line, env, stdin, cwd, popen_arguments)

    def _spawn(self, folder, line, env, stdin, cwd, popen_arguments):
        # Files, not pipes: whoever is left holding a pipe would keep the test waiting for its end.
        with open(folder / "stdout", "wb") as out, open(folder / "stderr", "wb") as err:
            streams = {"stdout": out, "stderr": err, **popen_arguments}
            popen = subprocess.Popen(line, stdin=stdin, cwd=cwd,
                                     env={**self.environment, **(env or {})}, **streams)
        run = Run(popen, folder, self.events_path)
        self._runs.append(run)
        return run

    def run(self, command, *, deadline=DEADLINE, **arguments):
        """start(), and wait for the end: a Completed."""
        return self.start(command, **arguments).wait(deadline)

    def run_raw(self, arguments, *, deadline=DEADLINE, **more):
        return self.start_raw(arguments, **more).wait(deadline)

    def spawn(self, command, **popen_arguments):
        """Another program of the test (redis-server, strace...), under the same strict end."""
        environment = {**self.environment, **popen_arguments.pop("env", {})}
        popen = subprocess.Popen([str(word) for word in command], env=environment, **popen_arguments)
        self._runs.append(Run(popen, self.folder, None))
        return popen

    def reap(self, before=()):
        """Waits for what is dead: own children, and orphans that came to us as the subreaper."""
        for run in self._runs:
            run.popen.wait(DEADLINE)
        for pid in set(procfs.children(os.getpid())) - set(before):
            try:
                os.waitpid(pid, os.WNOHANG)
            except ChildProcessError:
                pass
