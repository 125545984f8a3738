"""The public keys, for whoever verifies receipts, and the one who signs, for the doors that show them."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, jsonify, request

from ..config import Settings
from ..db import Database
from ..web.requests import database, public
from .keys import jwk
from .queries import signing_keys
from .signing import Signer, signer_for

blueprint = Blueprint("receipts", __name__)

CACHED_SECONDS = 300


def register(app: Flask, settings: Settings, db: Database) -> None:
    app.extensions["receipts"] = signer_for(settings, db)
    app.register_blueprint(blueprint)


def signer() -> Signer:
    found: Signer = current_app.extensions["receipts"]
    return found


@blueprint.get("/.well-known/jwks.json")
@public
def jwks() -> Response:
    """The keys by which receipts verify, the newest first, with the one that takes over next."""
    now, lifetime = database().clock.now(), signer().lifetime
    with database().reading() as session:
        keys = [jwk(key) for key in signing_keys(session) if key.is_published(now, lifetime)]
    answer = jsonify({"keys": keys})
    answer.content_type = "application/jwk-set+json"
    answer.headers["Cache-Control"] = f"public, max-age={CACHED_SECONDS}"
    answer.add_etag()
    answer.make_conditional(request)
    return answer
