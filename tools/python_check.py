"""Tells, before anything is installed, whether this Python can make the environment, and what to do if it cannot.

Written so that an old Python can still read it far enough to say that it is too old.
"""

import sys

if sys.version_info < (3, 11):
    raise SystemExit(
        "reviewqueue needs Python 3.11 or newer; this is %d.%d. Name another: make PYTHON=python3.12"
        % sys.version_info[:2]
    )
try:
    import ensurepip  # noqa: F401
    import venv  # noqa: F401
except ImportError:
    raise SystemExit(
        "This Python cannot make virtual environments. On Debian or Ubuntu: apt-get install python3-venv"
    ) from None
