#!/usr/bin/python3
"""Start a command as a program in Python would, and signal it.

call.py CALLER COMMAND [ARG]...

For each line of standard input, which names a signal, the command is signalled once; then `sent` is
printed. CALLER is one of the functions below.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time

import psutil


def lines():
    for line in sys.stdin:
        yield signal.Signals["SIG" + line.strip()]
        print("sent", flush=True)


def children(command):
    """psutil: the descendants first, then the process itself."""
    process = psutil.Popen(command)
    for number in lines():
        for child in process.children(recursive=True):
            child.send_signal(number)
        process.send_signal(number)


def parent(command):
    """psutil: the process itself first, then its descendants."""
    process = psutil.Popen(command)
    for number in lines():
        below = process.children(recursive=True)
        process.send_signal(number)
        for child in below:
            child.send_signal(number)


def loop(command):
    """asyncio: terminate() or kill()."""

    async def run():
        process = await asyncio.create_subprocess_exec(*command)
        for number in lines():
            if number == signal.SIGKILL:
                process.kill()
                print(await process.wait(), flush=True)
            else:
                process.terminate()

    asyncio.run(run())


def killpg(command):
    """subprocess: the process group of a new session."""
    process = subprocess.Popen(command, start_new_session=True)
    for number in lines():
        os.killpg(process.pid, number)


def step(command):
    """GitHub's runner: the process that it has started, alone."""
    process = subprocess.Popen(command)
    for number in lines():
        process.send_signal(number)


def gitlab(command):
    """GitLab's runner: the job's shell leads a process group, which is signalled as a whole."""
    job = subprocess.Popen(["bash", "-c", '"$@"\n:', "job", *command], preexec_fn=os.setpgrp)
    for number in lines():
        os.kill(-job.pid, number)


def jenkins(command):
    """Jenkins: TERM for each process that has the cookie, children first, and wait until each is gone."""
    cookie = os.urandom(8).hex()
    subprocess.Popen(command, env=dict(os.environ, JENKINS_NODE_COOKIE=cookie))

    def marked():
        for process in psutil.process_iter():
            try:
                if process.environ().get("JENKINS_NODE_COOKIE") == cookie:
                    yield process
            except psutil.Error:
                pass

    def kill(process):
        for child in process.children():
            kill(child)
        process.terminate()
        while os.path.exists(f"/proc/{process.pid}/status") and process.status() != "zombie":
            time.sleep(0.01)

    for _ in lines():
        for process in list(marked()):
            try:
                kill(process)
            except psutil.NoSuchProcess:
                pass


globals()[sys.argv[1]](sys.argv[2:])
