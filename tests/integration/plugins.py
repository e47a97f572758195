"""The fixture plugins of tests/handlers, as sections of a config."""
import pathlib
import re

import pm


def path(name):
    """The .so of a fixture plugin."""
    return pm.build_dir() / "tests" / "handlers" / ".libs" / f"{name}.so"


def section(name, plugin, **keys):
    """[handler:NAME] with the fixture plugin of that name, or the .so at a pathlib.Path."""
    file = plugin if isinstance(plugin, pathlib.Path) else path(plugin)
    keys = {"plugin": file, **keys}
    if file.exists() and not pm.is_trusted(file):
        keys.setdefault("trust_path", "yes")
    return f"[handler:{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())


def notes(file):
    """What a fixture plugin wrote down: for each event (seq, type, attempt), else the call's name."""
    try:
        lines = pathlib.Path(file).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [tuple(map(int, line.split())) if line[:1].isdigit() else line for line in lines]


def seqs(file):
    return [note[0] for note in notes(file) if isinstance(note, tuple)]


def missed(stderr, name):
    """What panicmon said of the events that a handler has missed, summed up: (lost, given up)."""
    said = re.findall(rf"^panicmon: handler '{name}' has missed events: (\d+) lost, (\d+) given up$", stderr, re.M)
    return sum(int(lost) for lost, _ in said), sum(int(dropped) for _, dropped in said)
