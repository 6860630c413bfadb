"""A worker: the ASGI application, made of the environment."""

import ctypes
import gc
import os
import signal
import sys

from litestar import Litestar

from cms_api.app import create_app
from cms_api.logs import configure
from cms_api.settings import load

PR_SET_PDEATHSIG = 1
# The process id of the supervisor, for its workers; no setting.
SUPERVISOR = "_CMS_SUPERVISOR"


def create() -> Litestar:
    """The application of a worker, whose life is tied to that of the process that started it."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(os.environ.get(SUPERVISOR, os.getppid())):
            sys.exit(1)  # it was gone before we asked
    settings = load(os.environ)
    configure(settings)
    app = create_app(settings)
    # Hundreds of thousands of objects that stay as long as the process does: the collector would
    # look at them again and again, and keep all requests waiting for a tenth of a second each time.
    gc.collect()
    gc.freeze()
    return app
