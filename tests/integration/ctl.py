"""panicmonctl, for the tests of it: the fixture `ctl` runs it."""
import os
import shutil

import pytest

import plugins
import pm

# A host whose main thread leaves ends as if by exit(3), where LeakSanitizer looks in vain for what the
# thread's stack held.
LEAVES_THREAD = pytest.mark.skipif(pm.is_sanitized(), reason="LeakSanitizer ends it")

# Of what is to hang: so long is waited for it.
SHORT = "3s"


class Ctl:
    """What the fixture `ctl` is."""

    def __init__(self, panicmon):
        self.panicmon = panicmon
        self.folder = panicmon.folder
        panicmon.path = str(pm.build_dir() / "panicmonctl")

    def _arguments(self, arguments, config, options):
        line = list(arguments)
        if config is not None:
            line += ["-c", self.panicmon.config(config) if isinstance(config, str) else config]
        for option in options:
            line += ["-o", option]
        return line

    def run(self, *arguments, config=None, options=(), **more):
        """Runs it with a config (text or path) and returns a pm.Completed."""
        return self.panicmon.run_raw(self._arguments(arguments, config, options), **more)

    def start(self, *arguments, config=None, options=(), **more):
        return self.panicmon.start_raw(self._arguments(arguments, config, options), **more)

    def config(self, *sections, start_timeout="60s", drain_timeout="60s", more=""):
        """A text with the built plugins and patience."""
        return (f"[panicmon]\nhandler_dir = {self.panicmon.handler_dir}\nstart_timeout = {start_timeout}\n"
                f"drain_timeout = {drain_timeout}\n{more}" + "".join(sections))

    def log(self, name="log", **keys):
        """A section of a log handler that writes JSON to a file of its name."""
        return self.panicmon.log_section(name, keys.pop("path", self.folder / name), **keys)

    def handler_dir(self, *names):
        """A folder with these fixture plugins, trusted as far as pytest's folders are."""
        folder = self.folder / "handlers"
        folder.mkdir(mode=0o755)
        for name in names:
            source = plugins.path(name) if name != "log" else self.panicmon.handler_dir / "log.so"
            shutil.copyfile(source, folder / f"{name}.so")
            os.chmod(folder / f"{name}.so", 0o644)
        if not pm.is_trusted(folder):
            pytest.skip("the folders of tests are not to be trusted here")
        return folder


def hostile(**keys):
    """A section [handler:bad] of the plugin that does what a handler must not."""
    return plugins.section("bad", "hostile", **keys)
