"""Handlers that were built for earlier versions, and what keeps them working."""
import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess

import pytest

import plugins
import pm

KEPT = pm.source_dir() / "tests" / "handlers" / "kept"
CHECK = pm.source_dir() / "tests" / "check-abi"

on_x86_64 = pytest.mark.skipif(platform.machine() != "x86_64", reason="the samples are for x86-64")


@pytest.fixture
def sample(tmp_path):
    """The kept .so of 1.0, as a private file: a checkout may be writable by a group."""
    file = tmp_path / "sample.so"
    shutil.copyfile(KEPT / "sample_1_0.so", file)
    file.chmod(0o755)
    return file


@on_x86_64
def test_a_handler_of_1_0(panicmon, sample, tmp_path):
    """All that it knows of happens to it."""
    notes = tmp_path / "notes"
    config = panicmon.config("[panicmon]\ndrain_timeout = 30s\n" + plugins.section("sample", sample, path=notes) +
                             plugins.section("drop", "hostile", result=3, seq=1))
    run = panicmon.start([pm.tool("sigcount"), "-q", int(signal.SIGTERM), "-x", 3, tmp_path / "taken"], config=config,
                         name="api")
    run.wait_for_stdout("ready")

    def lines():
        return notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
    pm.wait_until(lambda: "lost drop 0 1" in lines() and "tick" in lines(), what="what one can wait for")
    run.send(signal.SIGTERM)
    done = run.wait()
    assert done.status == 3
    assert [line for line in lines() if line != "tick"] == [
        "open sample api 1 1 7 20 65536 1 1 1", f"started 2 6 32 {pm.tool('sigcount')}", "lost drop 0 1",
        "received 15 1", "passed 15 1", "exited 3 0 3 1 1 15", "flush 30000 1", "close 2"]
    assert "panicmon[sample]: event 4 is given up: a reason" in done.stderr.splitlines()
    assert "panicmon[sample]: api has ended" in done.stderr.splitlines()
    assert plugins.missed(done.stderr, "sample") == (0, 1)


@on_x86_64
def test_a_handler_of_1_0_hears_of_a_failure(panicmon, sample, tmp_path):
    config = panicmon.config(plugins.section("sample", sample, path=tmp_path / "notes", wait="1s"))
    assert panicmon.run(["no-such-command"], config=config).status == 127
    assert (tmp_path / "notes").read_text(encoding="utf-8").splitlines()[1:] == [
        "started 2 1 32 no-such-command", "failed 2 127", "close 2"]


@on_x86_64
def test_a_handler_of_1_0_refuses(panicmon, sample, tmp_path):
    section = plugins.section("sample", sample, path=tmp_path / "notes", count=3)
    config = panicmon.config(section)
    done = panicmon.run(["true"], config=config)
    assert done.status == 125
    assert done.stderr == f"panicmon: {config}:1: [handler:sample] count = 3 is not for sample\n"


# ---- the check of the headers ----

@pytest.fixture
def check(tmp_path):
    """Runs tests/check-abi over headers that are changed: each of `changes` is a file, a pattern and what takes its
    place. Returns the offences."""
    if shutil.which("abidw") is None or shutil.which("cc") is None or platform.machine() != "x86_64":
        pytest.skip("this needs abigail-tools and a compiler")

    def run(*changes):
        include = tmp_path / "include"
        shutil.copytree(pm.source_dir() / "include", include)
        for name, pattern, text in changes:
            file = include / "panicmon" / name
            changed, count = re.subn(pattern, text, file.read_text(encoding="utf-8"), flags=re.M)
            assert count == 1, pattern
            file.chmod(0o644)
            file.write_text(changed, encoding="utf-8")
        done = subprocess.run([CHECK, pm.source_dir(), include], env={**os.environ, "CC": "cc"}, check=False,
                              capture_output=True, text=True)
        assert done.stderr == ""
        assert done.returncode == (1 if done.stdout else 0)
        return done.stdout.splitlines()
    return run


AT_THE_END = ("event.h", r"^(\tint64_t crashes;.*)$", r"\1\n\tint64_t more;")


def test_the_headers_are_as_they_were(check):
    assert check() == []


@pytest.mark.parametrize("change", [
    AT_THE_END,
    ("event.h", r"^\tPANICMON_HAS_CRASHES +(.*)$", r"\tPANICMON_HAS_CRASHES, \1\n\tPANICMON_HAS_MORE"),
    ("event.h", r"^(\tint \(\*recovered\).*\n)(};)", r"\1\tint (*more)(void *self);\n\2"),
    ("handler.h", r"^(\tuint32_t reserved; /\* 0 \*/)$", r"\1\n\tint (*more)(void *self);"),
    ("handler.h", r"^(\tint output, errors;)$", r"\1\n\tvoid (*more)(const struct panicmon_host *host);"),
])
def test_what_is_appended_is_allowed(check, change):
    assert check(change) == []


@pytest.mark.parametrize("change, offence", [
    (("event.h", r"^\tint32_t core;", r"\tint32_t kore;"), "panicmon_event 92 core int32_t: is not so any more"),
    (("event.h", r"^\tint32_t core;", r"\tint64_t core;"), "panicmon_event 92 core int32_t: is not so any more"),
    (("event.h", r"^\tint32_t core;", r"\tuint32_t core;"), "panicmon_event 92 core int32_t: is not so any more"),
    (("event.h", r"^\tint32_t core;", r"\tint32_t other, core;"), "panicmon_event 92 other int32_t: is new, and not at the end"),
    (("event.h", r"^\tint32_t target_pid;", r"\tint32_t target_pid, other;"),
     "panicmon_event 180 other int32_t: is new, and not at the end"),
    (("event.h", r"^\tPANICMON_HAS_CORE,$", r"\tPANICMON_HAS_MORE, PANICMON_HAS_CORE,"),
     "panicmon_field = 3 PANICMON_HAS_CORE: is not so any more"),
    (("handler.h", r"PANICMON_HELD = 1", "PANICMON_HELD = 5"), "panicmon_result = 1 PANICMON_HELD: is not so any more"),
    (("handler.h", r"int \(\*tick\)\(void \*self\)", "int (*tick)(void *self, int why)"),
     "panicmon_handler 104 tick int (void*)*: is not so any more"),
    (("handler.h", r"UINT32_C\(0x314d4350\)", "UINT32_C(0x324d4350)"),
     "panicmon_abi_numbers = 827147088 MAGIC: is not so any more"),
])
def test_what_is_moved_removed_or_changed_is_not(check, change, offence):
    """Not even if something is appended as well."""
    assert offence in check(change, AT_THE_END)
