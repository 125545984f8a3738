"""reviewqueue: a review desk for AI outputs.

Importing it costs little: the app and what it is made of are loaded by `create_app`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reviewqueue.config import Settings
    from reviewqueue.db import Database
    from reviewqueue.web.openapi import App


def create_app(settings: Settings, db: Database) -> App:
    """The web application on one database: pages for people, the API for apps, and probes for operators."""
    from reviewqueue.web.openapi import App
    from reviewqueue.web.settings import configuration, template_folders

    app = App(__name__, **template_folders())
    app.config.update(configuration(settings))
    db.base_url = settings.address
    _register_web(app, settings, db)
    _register_pages(app, settings, db)
    _register_api(app)
    return app


def _register_web(app: App, settings: Settings, db: Database) -> None:
    from reviewqueue.web import (
        errors,
        filters,
        logs,
        navigation,
        openapi,
        problems,
        proxies,
        rate_limit,
        requests,
        security,
    )
    from reviewqueue.web.json_provider import OrjsonProvider

    app.json = OrjsonProvider(app)
    proxies.register(app, settings)
    requests.register(app, settings, db)
    logs.register(app)
    security.register(app)
    requests.close_doors(app)
    rate_limit.register(app, settings, db)
    errors.register(app)
    filters.register(app, db.clock.now)
    navigation.register(app)
    openapi.register(app)
    problems.register(app)


def _register_pages(app: App, settings: Settings, db: Database) -> None:
    from reviewqueue.escalation import pages as escalation
    from reviewqueue.insights import pages as insights
    from reviewqueue.items import pages as items
    from reviewqueue.monitoring import pages as monitoring
    from reviewqueue.notifications import pages as notifications
    from reviewqueue.oncall import pages as oncall
    from reviewqueue.people import admin_pages as admin
    from reviewqueue.people import pages as people
    from reviewqueue.queues import pages as queues
    from reviewqueue.receipts import pages as receipts
    from reviewqueue.webhooks import pages as webhooks

    app.register_blueprint(items.blueprint)
    app.register_blueprint(insights.blueprint)
    app.register_blueprint(monitoring.blueprint)
    app.register_blueprint(people.blueprint)
    app.register_blueprint(admin.blueprint)
    app.register_blueprint(queues.blueprint)
    app.register_blueprint(oncall.blueprint)
    notifications.register(app)
    receipts.register(app, settings, db)
    app.register_blueprint(escalation.blueprint)
    webhooks.register(app)


def _register_api(app: App) -> None:
    """Below /api/v1, the `url_prefix` of each."""
    from reviewqueue.audit import api as audit
    from reviewqueue.escalation import api as escalation
    from reviewqueue.insights import api as insights
    from reviewqueue.insights import dry_run_api
    from reviewqueue.items import act_api as item_acts
    from reviewqueue.items import api as items
    from reviewqueue.queues import api as queues
    from reviewqueue.webhooks import api as webhooks

    app.register_api(items.api)
    app.register_api(item_acts.api)
    app.register_api(audit.api)
    app.register_api(queues.api)
    app.register_api(escalation.api)
    app.register_api(dry_run_api.api)
    app.register_api(insights.api)
    app.register_api(webhooks.api)
