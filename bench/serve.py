"""One server process of the benchmark: `python -m bench.serve product|bare`, on the database that the settings name.

Both run under waitress with eight threads, without a worker. The port is printed on stdout.
"""

from __future__ import annotations

import sys

import waitress
from flask import Flask

from reviewqueue.config import load
from reviewqueue.db import Database
from reviewqueue.serving import RECEIVED_AT_ONCE, collect_seldom, share_arenas

THREADS = 8


def main(which: str) -> None:
    share_arenas()
    server = waitress.create_server(
        _app(which), host="127.0.0.1", port=0, threads=THREADS, recv_bytes=RECEIVED_AT_ONCE
    )
    print(server.effective_port, flush=True)
    server.run()


def _app(which: str) -> Flask:
    settings = load()
    db = Database(settings.url, base_url=settings.address)
    if which == "product":
        from reviewqueue import create_app
        from reviewqueue.web import logs

        logs.set_up(settings.log_format)
        app = create_app(settings, db)
        collect_seldom()
        return app
    from .bare import create_bare

    return create_bare(db)


if __name__ == "__main__":
    main(sys.argv[1])
