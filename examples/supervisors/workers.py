#!/usr/bin/env python3
"""workers.py - a daemon that starts tasks, and stops them in order

	workers.py DIRECTORY COMMAND...

Each COMMAND, for sh, runs in DIRECTORY below a fry-run. TERM and INT stop the tasks in the opposite
order, each when the one before has ended. If this program is killed, -p stops all tasks.
"""
import asyncio
import json
import os
import signal
import sys


async def start(directory, command):
    reader, writer = os.pipe()
    task = await asyncio.create_subprocess_exec(
        "fry-run", "-p", "TERM", "-k", "5s", f"--report=fd:{writer}", "--", "sh", "-c", command,
        cwd=directory, pass_fds=[writer])
    os.close(writer)
    return task, open(reader)


async def stop(number, task, report):
    if task.returncode is None:
        task.terminate()
    line = await asyncio.to_thread(report.readline)
    await task.wait()  # nothing of the task is left now
    run = json.loads(line)
    print(f"task {number}: {run['cause']}, status {run['status']}, "
          f"{len(run['leftovers'])} left behind", flush=True)


async def main(directory, *commands):
    stops = asyncio.Event()
    for number in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(number, stops.set)
    tasks = [await start(directory, command) for command in commands]
    print("started", flush=True)
    await stops.wait()
    for number, task in reversed(list(enumerate(tasks, 1))):
        await stop(number, *task)


asyncio.run(main(*sys.argv[1:]))
