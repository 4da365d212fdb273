"""Run a command that cannot outlive whoever started it: `tied.py COMMAND [ARGUMENT...]`.

On Linux the kernel sends it SIGTERM when its parent dies, however that died. Elsewhere the command
simply runs; `claim.py` ends what an earlier start left behind. Imports little: it runs before each
child, and `exec` makes the child of it.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tie() -> None:
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before the kernel knew
        sys.exit(1)


if __name__ == "__main__":
    if sys.platform == "linux":
        tie()
    os.execvp(sys.argv[1], sys.argv[1:])
