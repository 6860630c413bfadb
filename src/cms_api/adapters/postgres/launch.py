"""A program of its own: gives up root, ties its life to its parent's, and becomes PostgreSQL.

Run as ``python -m cms_api.adapters.postgres.launch MODE TIE PARENT PROGRAM ARGUMENT…``, or by its path.
MODE is ``plain``, ``namespace`` or a user id to change to. TIE is ``kernel``, where the kernel tells
of the parent's end (Linux; nothing elsewhere), or ``pipe``, where standard input is a pipe that only
the parent holds open. PARENT is the parent's process id.

It imports nothing but the standard library, so that it starts at once, and is a program because the
code between fork and exec must not run in a process with threads.
"""

import contextlib
import ctypes
import os
import pwd
import select
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
# The user inside of the namespace; PostgreSQL refuses to be 0.
INSIDE = 65534
NAMESPACE_REFUSED = 97
WATCH_SECONDS = 1.0


def enter_namespace() -> None:
    """Become an ordinary user in a namespace in which root's files are that user's own."""
    if not sys.platform.startswith("linux"):
        sys.exit(NAMESPACE_REFUSED)
    user, group = os.getuid(), os.getgid()
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUSER) != 0:
        sys.exit(NAMESPACE_REFUSED)
    try:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{INSIDE} {user} 1"),
            ("gid_map", f"{INSIDE} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w") as file:  # noqa: PTH123 - before exec, as plain as can be
                file.write(text)
    except OSError:
        sys.exit(NAMESPACE_REFUSED)


def become(user: int) -> None:
    """Give root up for good."""
    try:
        group = pwd.getpwuid(user).pw_gid
    except KeyError:
        group = user
    os.setgroups([])
    os.setgid(group)
    os.setuid(user)


def die_by_kernel(parent: int) -> None:
    """Ask the kernel for a SIGINT, a fast shutdown, when the parent is gone however it went."""
    if not sys.platform.startswith("linux"):
        return
    # After the change of user, which undoes it.
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit(1)


def die_by_pipe() -> None:
    """Leave a watcher behind that sends the SIGINT once standard input is at its end."""
    watched = os.getpid()
    child = os.fork()
    if child == 0:
        # Forked twice, as PostgreSQL would wonder about a child that it does not know.
        if os.fork() == 0:
            watch(watched)
        os._exit(0)
    os.waitpid(child, 0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def watch(watched: int) -> None:
    """Wait for the end of the parent, or of the process ``watched``; does not return."""
    with contextlib.suppress(OSError):
        while not select.select([0], [], [], WATCH_SECONDS)[0]:
            os.kill(watched, 0)
        os.kill(watched, signal.SIGINT)
    os._exit(0)


def main() -> None:
    """Do what the arguments say; does not return."""
    mode, tie, parent, program, *arguments = sys.argv[1:]
    if mode == "namespace":
        enter_namespace()
    elif mode != "plain":
        become(int(mode))
    if tie == "pipe":
        die_by_pipe()
    else:
        die_by_kernel(int(parent))
    # Python ignores these, and what is ignored stays so over exec.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    os.execv(program, [program, *arguments])  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
