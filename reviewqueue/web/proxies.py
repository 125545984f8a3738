"""Believes as many proxies as the operator says stand in front, and none unless told."""

from __future__ import annotations

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from reviewqueue.config import Settings


def register(app: Flask, settings: Settings) -> None:
    if count := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
