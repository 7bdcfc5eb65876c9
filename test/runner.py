#!/usr/bin/env python3
"""Play GitHub's Actions runner cancelling a step, and print what happened when.

The step is started as the runner starts one: pipes for stdout and stderr, nothing to read on
stdin, the runner's own process group, no terminal. Once it has printed as many `ready` as are
asked for, it is cancelled: INT to that one process, after 7.5 s TERM, after another 2.5 s KILL. The
step is over when the process is gone and both pipes are at end of file, and not before: a task that
was left behind and holds a pipe keeps the runner waiting.

Exit status: 0 where the step was over before KILL was due, 1 where it was not, 2 where it could
not be cancelled.
"""

import argparse
import os
import selectors
import signal
import subprocess
import sys
import time

CANCEL = ((signal.SIGINT, 7.5), (signal.SIGTERM, 2.5), (signal.SIGKILL, 2.5))
PATIENCE = 120  # seconds for the step to get going, and for a killed process to be gone


class Step:
    def __init__(self, command, output):
        self.output = output
        self.printed = b""
        self.cancelled = None
        self.process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        self.left = selectors.DefaultSelector()
        self.left.register(os.pidfd_open(self.process.pid), selectors.EVENT_READ, "process")
        self.left.register(self.process.stdout, selectors.EVENT_READ, "stdout")
        self.left.register(self.process.stderr, selectors.EVENT_READ, "stderr")

    def open(self):
        """What keeps the step from being over."""
        return [key.data for key in self.left.get_map().values()]

    def wait(self, seconds, come):
        """Follow the step until come() is true. Returns whether that was so in time."""
        deadline = time.monotonic() + seconds
        while not come():
            rest = deadline - time.monotonic()
            if rest <= 0:
                return False
            for key, _ in self.left.select(rest):
                self.follow(key)
        return True

    def follow(self, key):
        if key.data == "process":
            status = self.process.wait()
            self.left.unregister(key.fd)
            if status < 0:
                self.tell(f"process died of {signal.Signals(-status).name[3:]}")
            else:
                self.tell(f"process exited with {status}")
            return
        data = os.read(key.fd, 65536)
        if data:
            self.printed += data
            self.output.write(data)
            self.output.flush()
        else:
            self.left.unregister(key.fileobj)
            self.tell(f"{key.data} at end of file")

    def send(self, sig):
        if self.process.returncode is None:
            self.tell(f"{sig.name[3:]} sent")
            self.process.send_signal(sig)
        else:
            self.tell(f"{sig.name[3:]} due, process gone")

    def tell(self, what):
        since = time.monotonic() - self.cancelled if self.cancelled else 0
        print(f"{since:7.3f} s  {what}", flush=True)

    def cancel(self, scale, after_kill):
        """Returns whether the step was over before KILL was due."""
        self.cancelled = time.monotonic()
        for sig, wait in CANCEL:
            self.send(sig)
            if sig == signal.SIGKILL:
                self.wait(PATIENCE, lambda: "process" not in self.open())
                wait = after_kill / scale if after_kill else wait
            if self.wait(wait * scale, lambda: not self.open()):
                self.tell("step over")
                return sig != signal.SIGKILL
        self.tell(f"given up, open: {', '.join(self.open())}")
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ready", type=int, default=1, metavar="N", help="cancel after N `ready`")
    parser.add_argument("--scale", type=float, default=1.0, help="what to multiply the waits with")
    parser.add_argument("--after-kill", type=float, metavar="S", help="give up so many seconds after KILL")
    parser.add_argument("--output", type=argparse.FileType("wb"), default=os.devnull)
    parser.add_argument("step", nargs="+")
    options = parser.parse_args()

    if os.getpid() != os.getpgid(0):
        os.setsid()  # a service, which has no terminal
    for sig in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
        signal.signal(sig, signal.SIG_DFL)  # whatever the shell that started it made of them
    step = Step(options.step, options.output)
    ready = lambda: step.printed.count(b"ready ") >= options.ready
    if not step.wait(PATIENCE, lambda: ready() or not step.open()) or not ready():
        step.tell("never ready")
        step.process.kill()
        return 2
    return 0 if step.cancel(options.scale, options.after_kill) else 1


sys.exit(main())
