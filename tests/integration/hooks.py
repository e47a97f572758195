"""The handler exec, for the tests of it: sections of a config, and programs for it to run."""
import json
import pathlib
import shlex
import sys

import pm

# Of a section whose every event is to start a program.
SECTION = {"alert_window": "0"}

# Appends what it finds itself in to the file of its first argument, as a line of JSON. The environment is
# what the kernel was given: an interpreter may change its own.
RECORDER = f"""#!{sys.executable}
import json, os, pathlib, sys
descriptors = dict((name, os.readlink("/proc/self/fd/" + name)) for name in ("0", "1", "2"))
run = {{
    "argv": [os.fsencode(word).decode("latin-1") for word in sys.argv],
    "environment": [entry.decode("latin-1") for entry in
                    pathlib.Path("/proc/self/environ").read_bytes().split(b"\\0")[:-1]],
    "stdin": os.fdopen(0, "rb").read().decode("latin-1"),
    "descriptors": descriptors, "cwd": os.getcwd(), "pid": os.getpid(), "uid": os.getuid(),
    "group": os.getpgrp(), "parent": os.getppid(),
}}
with open(sys.argv[1], "a") as out:
    out.write(json.dumps(run) + "\\n")
"""


class Run:
    """One run of the recorder."""

    def __init__(self, found):
        self.found = found
        self.argv = found["argv"]
        self.text = found["stdin"].encode("latin-1").decode()
        # Not a dict: no name may stand twice.
        self.pairs = [tuple(entry.encode("latin-1").decode(errors="surrogateescape").partition("=")[::2])
                      for entry in found["environment"]]
        self.environment = dict(self.pairs)
        assert len(self.environment) == len(self.pairs), self.pairs

    @property
    def event(self):
        return json.loads(self.text)


def runs(path):
    try:
        lines = pathlib.Path(path).read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return []
    return [Run(json.loads(line)) for line in lines if line.endswith("\n")]


def program(folder, text, name="hook"):
    """An executable file with that text; a shell script if it has no first line of its own."""
    path = folder / name
    path.write_text(text if text.startswith("#!") else f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def recorder(folder):
    return program(folder, RECORDER, "recorder")


def section(command, name="exec", **keys):
    """[handler:NAME] with the plugin exec; `command`: as in the config, or a list of words."""
    line = command if isinstance(command, str) else shlex.join(map(str, command))
    keys = {"plugin": "exec", "command": line, **SECTION, **keys}
    if not pm.is_trusted(pm.build_dir() / ".libs"):
        keys["trust_path"] = "yes"
    return f"[handler:{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def config(panicmon, *sections, drain_timeout="60s"):
    """A config file with these sections and patience."""
    return panicmon.config(f"[panicmon]\nstart_timeout = 60s\ndrain_timeout = {drain_timeout}\n" + "".join(sections))


def lines(stderr, name="exec"):
    """What the handler, or a program of it, has printed."""
    mark = f"panicmon[{name}]: "
    return [line[len(mark):] for line in stderr.splitlines() if line.startswith(mark)]


def variables(event):
    """The PANICMON_* variables of an event, from its JSON."""
    def text(value):
        if isinstance(value, list):
            return shlex.split(" ".join(map(shlex.quote, value)))
        return str(int(value)) if isinstance(value, bool) else str(value)
    return {f"PANICMON_{key.upper()}": text(value) for key, value in event.items()}


def told(run):
    """Those that a program has found; the arguments as a list."""
    found = {key: value for key, value in run.environment.items() if key.startswith("PANICMON_")}
    found["PANICMON_ARGS"] = shlex.split(found["PANICMON_ARGS"])
    return found


def systemd(run):
    return tuple(run.environment.get(key) for key in ("EXIT_CODE", "EXIT_STATUS", "SERVICE_RESULT"))


def inherited(run):
    """The rest of the environment."""
    return {key: value for key, value in run.environment.items()
            if not key.startswith("PANICMON_") and key not in ("EXIT_CODE", "EXIT_STATUS", "SERVICE_RESULT")}
