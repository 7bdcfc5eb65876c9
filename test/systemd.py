# systemd.py - a service manager for one service, as systemd is one, and such a service
#
# systemd.py COMMAND...		run COMMAND with a listening socket as descriptor 3 and the variables
#				of sd_listen_fds(3), sd_watchdog_enabled(3) and sd_notify(3); pass
#				TERM on to it; print what it says and whether it is the main process
#				that says so, `served` once a connection was answered, and its status
# systemd.py --service		be the service: checks the variables, answers one connection, and
#				exits with 3 upon TERM

import os
import signal
import socket
import sys


def service():
    me = str(os.getpid())
    for name in "LISTEN_PID", "WATCHDOG_PID":
        if os.environ[name] != me:
            sys.exit(f"{name} is {os.environ[name]}, not {me}")
    if os.environ["LISTEN_FDS"] != "1" or os.environ["LISTEN_FDNAMES"] != "door":
        sys.exit("LISTEN_FDS or LISTEN_FDNAMES is wrong")
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    door = socket.socket(fileno=3)
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.connect(os.environ["NOTIFY_SOCKET"])
    manager.send(f"READY=1\nMAINPID={me}".encode())
    guest, _ = door.accept()
    guest.send(b"welcome")
    guest.close()
    signal.sigwait([signal.SIGTERM])
    manager.send(b"STOPPING=1")
    sys.exit(3)


def message(notify, main):
    text, control, _, _ = notify.recvmsg(4096, socket.CMSG_SPACE(12))
    sender = int.from_bytes(control[0][2][:4], sys.byteorder)
    words = dict(line.split("=", 1) for line in text.decode().split("\n"))
    main = int(words.get("MAINPID", main))
    first = text.decode().split("\n")[0]
    print(first, "from", "main" if sender == main else f"{sender}, not {main}", flush=True)
    return main


def manager(command):
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    for name in "notify", "door":
        if os.path.exists(name):
            os.unlink(name)
    notify.bind("notify")
    door = socket.socket(socket.AF_UNIX)
    door.bind("door")
    door.listen()
    child = os.fork()
    if child == 0:
        os.dup2(door.fileno(), 3)
        me = str(os.getpid())
        os.environ.update(
            LISTEN_PID=me, LISTEN_FDS="1", LISTEN_FDNAMES="door",
            WATCHDOG_PID=me, WATCHDOG_USEC="60000000",
            NOTIFY_SOCKET=os.path.abspath("notify"))
        os.execvp(command[0], command)
    signal.signal(signal.SIGTERM, lambda *_: os.kill(child, signal.SIGTERM))
    main = message(notify, child)
    guest = socket.socket(socket.AF_UNIX)
    guest.connect("door")
    if guest.recv(100) == b"welcome":
        print("served", flush=True)
    message(notify, main)
    _, status = os.waitpid(child, 0)
    print("exited", os.waitstatus_to_exitcode(status), flush=True)


if sys.argv[1] == "--service":
    service()
else:
    manager(sys.argv[1:])
