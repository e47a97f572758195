"""What a handler that calls people (PANICMON_ALERTS) was told, and what is remembered of it: the fixture `alerts`."""
import fcntl
import os
import struct

import plugins
import pm

STARTED, FAILED, EXITED, RECOVERED = 1, 2, 3, 8
CRASH = ["sh", "-c", "kill -SEGV $$"]
MADE = 1 << 52  # from there on are the numbers of process.recovered


class Note:
    """A line of the fixture plugin."""

    def __init__(self, line):
        kind, crashes, incident, self.run, seq, attempt = line.split()
        self.type, self.seq, self.attempt = int(kind), int(seq), int(attempt)
        self.crashes = None if crashes == "-" else int(crashes)
        self.incident = None if incident == "-" else incident

    def __repr__(self):
        return f"<{self.type} {self.crashes} {self.incident} {self.seq} attempt {self.attempt}>"


class Alerts:
    """Runs one after the other, as a supervisor would have it, with one folder for what is remembered."""

    def __init__(self, panicmon, folder):
        self.panicmon, self.folder = panicmon, folder
        self.notes_path = folder / "notes"
        self.state = folder / "state"

    def config(self, *, state=True, more="", name="test.ini", path=None, **keys):
        keys = {"events": "process.*, !process.started", **keys}
        head = "[panicmon]\ndrain_timeout = 60s\nstart_timeout = 60s\n"
        head += f"state_dir = {self.state}\n" if state else ""
        return self.panicmon.config(head + more + plugins.section("alert", "alert", path=path or self.notes_path, **keys),
                                    name=name)

    def run(self, command, config, name="api", **more):
        return self.panicmon.run(command, config=config, name=name, **more)

    def start(self, command, config, name="api", **more):
        return self.panicmon.start(command, config=config, name=name, **more)

    @property
    def notes(self):
        try:
            text = self.notes_path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return []
        return [Note(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    @property
    def told(self):
        """Of each event with an incident: its type, and how many failures it stands for."""
        return [(note.type, note.crashes) for note in self.notes if note.incident is not None]

    def wait_told(self, wanted):
        pm.wait_until(lambda: self.told == wanted, what=lambda: f"{wanted}: {self.notes}")

    def file(self, service="api", handler="alert"):
        return self.state / f"{service}.{handler}" / "alerts"


def failures_in(path):
    return int.from_bytes(path.read_bytes()[12:20], "little")


def is_claimed(alerts):
    """Without a lock of our own, which would be in the way."""
    try:
        with open(alerts.file().with_name("alerts.lock"), "r+b") as file:
            asked = struct.pack("hhqqi", fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
            return struct.unpack("hhqqi", fcntl.fcntl(file, fcntl.F_GETLK, asked))[0] != fcntl.F_UNLCK
    except FileNotFoundError:
        return False
