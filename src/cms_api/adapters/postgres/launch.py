"""A program of its own: gives up root, ties its life to its parent's, and becomes PostgreSQL.

Run as ``python -I launch.py MODE PARENT PROGRAM ARGUMENT…``. MODE is ``plain``, ``namespace`` or a
user id to change to. It imports nothing but the standard library, so that it starts at once, and
is a program because the code between fork and exec must not run in a process with threads.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
# The user inside of the namespace; PostgreSQL refuses to be 0.
INSIDE = 65534
NAMESPACE_REFUSED = 97


def enter_namespace() -> None:
    """Become an ordinary user in a namespace in which root's files are that user's own."""
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER) != 0:
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
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


def die_with(parent: int) -> None:
    """Ask the kernel for a SIGINT, a fast shutdown, when the parent is gone however it went."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit(1)


def main() -> None:
    """Do what the arguments say; does not return."""
    mode, parent, program, *arguments = sys.argv[1:]
    if mode == "namespace":
        enter_namespace()
    elif mode != "plain":
        become(int(mode))
    die_with(int(parent))
    os.execv(program, [program, *arguments])  # noqa: S606 - no shell is the point


if __name__ == "__main__":
    main()
