"""The completions for bash and zsh, as the shells call them."""
import os
import re
import shutil
import subprocess

import pytest

import pm

EVENTS = ["process.exited", "process.failed", "process.recovered", "process.started", "signal.failed", "signal.passed",
          "signal.received"]


@pytest.fixture
def bash(tmp_path):
    """Completes a line, with the cursor at its end; returns what bash would take in place of the last of
    the words that readline sees."""
    if shutil.which("bash") is None:
        pytest.skip("there is no bash")
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "statsd.so").write_text("", encoding="utf-8")
    config = tmp_path / "panicmon.ini"
    config.write_text("[panicmon]\n[handler:log]\n[handler:crashes]\nplugin = log\n", encoding="utf-8")
    (tmp_path / "other.ini").write_text("[handler:other]\n", encoding="utf-8")
    text = (pm.source_dir() / "completions" / "panicmon.bash.in").read_text(encoding="utf-8")
    (tmp_path / "completion").write_text(text.replace("@handlerdir@", str(tmp_path / "handlers")), encoding="utf-8")

    def run(line):
        script = ('. "$1"; COMP_LINE=$2; COMP_POINT=${#2}; COMP_WORDBREAKS=$\' \\t\\n"\\\'><=;|&(:\'; '
                  'function=_${2%% *}; "$function"; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "-c", script, "bash", tmp_path / "completion", line], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=pm.DEADLINE, check=False, cwd=tmp_path,
                              env={**os.environ, "PANICMON_CONFIG": str(config)})
        assert done.stderr == ""
        return sorted(word for word in done.stdout.split("\n") if word)
    return run


@pytest.mark.parametrize("line, words", [
    ("panicmonctl ", ["check", "handlers", "test-fire"]),
    ("panicmonctl t", ["test-fire"]),
    ("panicmonctl -c other.ini h", ["handlers"]),
    ("panicmonctl handlers ", ["crashes", "log", "statsd"]),
    ("panicmonctl handlers st", ["statsd"]),
    ("panicmonctl test-fire ", ["crashes", "log"]),
    ("panicmonctl test-fire -c other.ini ", ["other"]),
    ("panicmonctl test-fire log ", []),
    ("panicmonctl check ", []),
    ("panicmonctl test-fire --event ", EVENTS),
    ("panicmonctl test-fire -e process.e", ["process.exited"]),
    ("panicmonctl --e", ["--event"]),
    ("panicmonctl -c ", []),
    ("panicmonctl check -o panicmon.h", ["panicmon.handler_dir="]),
    ("panicmon --n", ["--name"]),
    ("panicmon -c ", []),
    ("panicmon -o process.st", ["process.stderr=", "process.stdout=", "process.stop_timeout="]),
    # ':' parts words: what stands before it is not for bash to replace.
    ("panicmon -o handler:log.time", ["log.timeout="]),
    ("panicmon -c other.ini -o handler:other.tr", ["other.trust_path="]),
    ("panicmon -o process.group=new -- sh -c ", []),
])
def test_bash(bash, line, words):
    assert bash(line) == words


def test_bash_completes_the_command(bash):
    assert "env" in bash("panicmon -n name -- en")
    assert "env" in bash("panicmon en")


def keys_of(table):
    source = (pm.source_dir() / "src" / "config" / "keys.c").read_text(encoding="utf-8")
    begin = source.index(f" {table}_keys[]")
    return re.findall(r'\.name = "([\w.]+)"', source[begin:source.index("\n};", begin)])


def test_all_keys_are_completed(bash):
    assert bash("panicmon -o panicmon.") == sorted(f"panicmon.{key}=" for key in keys_of("panicmon") if key != "include")
    assert bash("panicmon -o process.") == sorted(
        "process.env." if key == "env.NAME" else f"process.{key}=" for key in keys_of("process"))
    assert bash("panicmon -o handler:crashes.") == sorted(f"crashes.{key}=" for key in keys_of("handler"))


def test_zsh_has_the_same_keys():
    text = (pm.source_dir() / "completions" / "panicmon.zsh.in").read_text(encoding="utf-8")
    for section, more in (("panicmon", {"include"}), ("process", {"env.NAME"}), ("handler", set())):
        prefix = "handler:\\$handler" if section == "handler" else section
        listed = ",".join(re.findall(prefix + r"\.\{([\w,]+)\}=", text)).split(",")
        assert set(listed) == set(keys_of(section)) - more
    assert set(EVENTS) <= set(re.findall(r"[\w.]+", text))


def test_zsh_takes_it(tmp_path):
    """It parses, and zsh finds both commands in it."""
    if shutil.which("zsh") is None:
        pytest.skip("there is no zsh")
    shutil.copyfile(pm.source_dir() / "completions" / "panicmon.zsh.in", tmp_path / "_panicmon")
    script = 'zsh -n "$1/_panicmon" || exit; fpath=("$1" $fpath); autoload -Uz compinit; compinit -u -d "$1/dump"; ' \
             'print -l $_comps[panicmon] $_comps[panicmonctl]'
    done = subprocess.run(["zsh", "-f", "-c", script, "zsh", tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=pm.DEADLINE, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "_panicmon\n_panicmon\n", "")
