"""Every key is in panicmon.ini(5) and in conf/panicmon.ini, with its default, and no other is; and every member of
an event's JSON is in the manual."""
import re

import pytest

import pm
from ctl import Ctl

PLUGINS = ("exec", "log", "statsd", "webhook")


def read(*path):
    return pm.source_dir().joinpath(*path).read_text(encoding="utf-8")


def keys_of_panicmon(table):
    source = read("src", "config", "keys.c")
    begin = source.index(f" {table}_keys[]")
    return set(re.findall(r'\.name = "([\w.]+)"', source[begin:source.index("\n};", begin)]))


def keys_of_plugin(ctl, name):
    """By key: its default."""
    done = ctl.run("handlers", name, config=ctl.config())
    assert done.status == 0, done
    lines = done.stdout.split("\nOf every handler:\n")[0].splitlines()[4:]
    return {line.split()[0]: line.split()[2] for line in lines if line.strip() and line[0] != " "}


def keys_in_manual(section, kind="Cm"):
    """All that are items there, the values of a key among them."""
    page = read("man", "panicmon.ini.5")
    text = page[page.index(f"\n.Ss {section}\n") + 1:]
    text = text[:re.search(r"\n\.S[hs] |\Z", text[1:]).start() + 1]
    items = re.findall(rf"^\.It {kind} (.*)", text, re.MULTILINE)
    return {word for item in items for word in item.replace("env. Ns Ar NAME", "env.NAME").split(" , ")}


def keys_in_example(section):
    """By key: its value."""
    text = re.search(r"^;?\[" + section + r"\]\n(.*?)(?=^;?\[|\Z)", read("conf", "panicmon.ini"), re.MULTILINE | re.DOTALL)
    return dict(re.findall(r"^;?([a-z][\w.]*) = (.*)$", text[1], re.MULTILINE))


@pytest.mark.parametrize("section", ["panicmon", "process"])
def test_keys_of_a_section(section):
    keys = keys_of_panicmon(section)
    assert keys - keys_in_manual(f"[{section}]") == set()
    assert {"env.NAME" if key.startswith("env.") else key for key in keys_in_example(section)} == keys


def test_keys_of_every_handler():
    keys = keys_of_panicmon("handler")
    assert keys - keys_in_manual("[handler:NAME]") == set()
    assert set(re.findall(r"^; (\w+) = ", read("conf", "panicmon.ini"), re.MULTILINE)) == keys


@pytest.mark.parametrize("name", PLUGINS)
def test_keys_of_a_plugin(panicmon, name):
    keys = keys_of_plugin(Ctl(panicmon), name)
    example = keys_in_example(f"handler:{name}")
    assert len(keys) > 2
    assert set(keys) - keys_in_manual(f"The plugin {name}") == set()
    assert set(example) - keys_of_panicmon("handler") == set(keys)
    assert {key: (example[key], value) for key, value in keys.items() if value != "-" and example[key] != value} == {}


def test_members_of_an_event():
    source = read("plugins", "common", "json.c")
    members = re.findall(r'MEMBER\(\w+, \w+, "(\w+)"|set\w*\(line, "(\w+)"', source)
    assert len(members) > 40
    assert {first or second for first, second in members} == keys_in_manual("Events in JSON", "Li")
