"""A good .so that was cut or of which a bit has flipped: a message or a run as ever, never more than that."""
import os
import random
import shutil
import subprocess

import pytest

import plugins
import pm

TRUNCATIONS, FLIPS = 100, 1000
AT_ONCE = 25  # handlers under one panicmon


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """A small one, without what is for debuggers: nearly each byte means something."""
    file = tmp_path_factory.mktemp("good") / "good.so"
    shutil.copyfile(plugins.path("patient"), file)
    if shutil.which("strip") is not None:
        subprocess.run(["strip", "-s", file], check=True)
    return file.read_bytes()


def dice(what):
    return random.Random(f"{os.environ.get('PM_SEED', 'panicmon')} {what}")


def run_with(panicmon, folder, images, start="1s", drain="5s"):
    """Each image as a handler of one panicmon, with a good one among them. Returns stderr."""
    folder.mkdir()
    text = f"[panicmon]\nstart_timeout = {start}\ndrain_timeout = {drain}\n"
    for name, image in images.items():
        (folder / f"{name}.so").write_bytes(image)
        text += plugins.section(name, folder / f"{name}.so", path=folder / f"{name}.notes", required="no",
                                trust_path="yes", timeout="300ms", nofile=64)
    text += panicmon.log_section("log", folder / "log")
    config = panicmon.config(text, name=f"{folder.name}.ini")
    # In there: one whose path is damaged writes to another file.
    done = panicmon.run(["sh", "-c", "echo out; exit 3"], config=config, cwd=folder)
    assert (done.status, done.stdout) == (3, "out\n"), done
    seen = pm.names([event for event in pm.read_events(folder / "log") if event["event"] != "handler.lost"])
    assert seen == ["process.started", "process.exited"]
    return done.stderr


def ran(notes):
    """Whether the plugin did as the good one does."""
    return notes.exists() and notes.read_bytes().splitlines()[:2] == [b"1 1 1", b"2 3 1"]


def is_told(stderr, name):
    return any(f"{open_}{name}{shut}" in stderr for open_, shut in (("[handler:", "]"), ("panicmon[", "]"), ("'", "'")))


def test_truncated(panicmon, tmp_path, good):
    lengths = [0, 1, 4, 63, 64, len(good) - 1] + dice("cut").choices(range(len(good)), k=TRUNCATIONS - 6)
    for begin in range(0, TRUNCATIONS, AT_ONCE):
        images = {f"cut{i}": good[:lengths[i]] for i in range(begin, begin + AT_ONCE)}
        stderr = run_with(panicmon, tmp_path / f"from{begin}", images, start="60s")
        for name, image in images.items():
            assert f"[handler:{name}] '{tmp_path}/from{begin}/{name}.so' is " in stderr, len(image)


@pytest.mark.skipif(pm.is_sanitized(), reason="the sanitizer's run time looks into what is loaded")
@pytest.mark.parametrize("part", range(FLIPS // AT_ONCE // 4))
def test_flipped(panicmon, tmp_path, good, part):
    dice_ = dice(part)
    silent = 0
    for round_ in range(4):
        images = {}
        for i in range(AT_ONCE):
            image = bytearray(good)
            image[dice_.randrange(len(image))] ^= 1 << dice_.randrange(8)
            images[f"flip{i}"] = bytes(image)
        stderr = run_with(panicmon, tmp_path / f"round{round_}", images)
        for name in images:
            silent += not ran(tmp_path / f"round{round_}" / f"{name}.notes") and not is_told(stderr, name)
    # A flip in the plugin's own code can make it a plugin that does something else.
    assert silent <= 2 * AT_ONCE // 10
