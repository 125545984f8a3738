"""The probes: /healthz, /readyz and /metrics."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, jsonify, request

from reviewqueue.errors import NotFound, Unauthenticated
from reviewqueue.monitoring.readiness import readiness
from reviewqueue.web.requests import database, public, settings

blueprint = Blueprint("monitoring", __name__)


@blueprint.get("/healthz")
@public
def healthz() -> Response:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
@public
def readyz() -> tuple[Response, int]:
    """Whether requests should be sent here, and why not otherwise."""
    found = readiness(database())
    status, code = ("ok", 200) if found.ready else ("unavailable", 503)
    return jsonify({"status": status, "problems": found.problems}), code


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """The figures, for Prometheus; only where a token is set, and only with it.

    Raises NotFound where there is no token, and Unauthenticated without the right one.
    """
    from reviewqueue.monitoring.metrics import CONTENT_TYPE, exposition

    token = settings().metrics_token
    if not token:
        raise NotFound("Metrics are off: REVIEWQUEUE_METRICS_TOKEN is not set.")
    given = request.headers.get("Authorization", "").encode()
    if not hmac.compare_digest(given, f"Bearer {token}".encode()):
        raise Unauthenticated("Send the metrics token: Authorization: Bearer …")
    return Response(exposition(database()), content_type=CONTENT_TYPE)
