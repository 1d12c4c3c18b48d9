"""The rigor program at work on an exported scene."""

import json
import os
import pty
import re
import subprocess
import threading


class RigorProcess:
    """Runs a command, follows how far it is, and keeps its one document."""

    PERCENT = re.compile(r"(\d{1,3}) %")

    def __init__(self, arguments):
        # To a terminal the program says how far it is, on a line that replaces itself.
        own, its = pty.openpty()
        environment = dict(os.environ, TERM="xterm", NO_COLOR="1")
        try:
            self.process = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=its,
                env=environment,
                start_new_session=True,
            )
        except OSError:
            os.close(own)
            raise
        finally:
            os.close(its)
        self.fraction = 0.0
        self.line = ""
        self.errors = []
        self._output = b""
        self._threads = [
            threading.Thread(target=self._follow, args=(own,), daemon=True),
            threading.Thread(target=self._collect, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _follow(self, terminal):
        rest = ""
        with os.fdopen(terminal, "rb", buffering=0) as file:
            while True:
                try:
                    piece = file.read(4096)
                except OSError:  # the other end is closed
                    return
                if not piece:
                    return
                rest += piece.decode(errors="replace").replace("\x1b[2K", "\r")
                *lines, rest = re.split(r"[\r\n]+", rest)
                for line in lines + [rest]:
                    self._read(line)

    def _read(self, line):
        if not line.strip():
            return
        self.line = line.strip()
        if self.line.startswith(("error:", "warning:")) and self.line not in self.errors:
            self.errors.append(self.line)
        found = self.PERCENT.search(line)
        if found:
            self.fraction = min(int(found.group(1)) / 100, 1.0)

    def _collect(self):
        self._output = self.process.stdout.read()

    @property
    def is_running(self):
        return self.process.poll() is None

    def stop(self):
        """Ends the program, and what it started."""
        if not self.is_running:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def result(self):
        """The document; raises RuntimeError with the program's own words where it failed."""
        self.process.wait()
        for thread in self._threads:
            thread.join(timeout=10)
        try:
            document = json.loads(self._output)
        except ValueError:
            document = {}
        if self.process.returncode != 0:
            said = document.get("error", {}).get("message") if isinstance(document, dict) else None
            last = next((e for e in reversed(self.errors) if e.startswith("error:")), None)
            raise RuntimeError(said or last or f"rigor ended with {self.process.returncode}")
        return document


def local_command(program, settings, scene, world, size, picture):
    """`rigor render`."""
    command = [program, "render", scene, "--env", world, "--size", size, "--json"]
    command += ["--spp", str(settings.samples), "--bounces", str(settings.bounces)]
    command += ["--seed", str(settings.seed), "-o", picture]
    if settings.device:
        command += ["--device", settings.device]
        if settings.device == "all" or "," in settings.device:
            command.append("--share")
    return command


def market_command(program, settings, scene, world, size, home):
    """`rigor demo`, with the scene as its job."""
    command = [program, "demo", "--home", home, "--scene", scene, "--env", world]
    return command + ["--size", size, "--spp", str(settings.samples), "--json"]


def market_picture(document):
    """The .exr among what the market's task gave."""
    files = [path for task in document.get("tasks", []) for path in task.get("outputs", [])]
    pictures = [path for path in files if path.endswith(".exr")] or files
    if not pictures:
        raise RuntimeError("rigor demo: no picture among its results")
    return pictures[0]
