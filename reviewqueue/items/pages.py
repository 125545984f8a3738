"""The pages of items: which address shows or does what."""

from __future__ import annotations

from flask import Blueprint

from . import act_pages, bulk_pages, desk_pages, item_pages, list_pages, review_pages

blueprint = Blueprint("items", __name__)

blueprint.add_url_rule("/", view_func=desk_pages.show_desk)

blueprint.add_url_rule("/queues/<queue>/review", view_func=review_pages.review)
blueprint.add_url_rule(
    "/queues/<queue>/review/skipped", view_func=review_pages.post_forget_skipped, methods=["POST"]
)
blueprint.add_url_rule("/queues/<queue>/items", view_func=list_pages.item_list)
blueprint.add_url_rule("/queues/<queue>/views", view_func=list_pages.post_view, methods=["POST"])
blueprint.add_url_rule("/items/many", view_func=bulk_pages.post_many, methods=["POST"])
blueprint.add_url_rule("/items/many/<plan>", view_func=bulk_pages.show_many)

blueprint.add_url_rule("/items/<uuid:item_id>", view_func=item_pages.item)
blueprint.add_url_rule("/items/<uuid:item_id>/evidence", view_func=item_pages.evidence)

for address, view in {
    "decision": review_pages.post_decision,
    "answer": review_pages.post_answer,
    "draft": review_pages.post_draft,
    "skip": review_pages.post_skip,
    "renewal": review_pages.post_renewal,
    "claim": act_pages.post_claim,
    "release": act_pages.post_release,
    "undo": act_pages.post_undo,
    "snooze": act_pages.post_snooze,
    "escalation": act_pages.post_escalation,
    "deescalation": act_pages.post_deescalation,
    "acknowledgement": act_pages.post_acknowledgement,
    "assignment": act_pages.post_assignment,
    "comments": act_pages.post_comment,
    "reopening": act_pages.post_reopening,
    "recall": act_pages.post_recall,
}.items():
    blueprint.add_url_rule(f"/items/<uuid:item_id>/{address}", view_func=view, methods=["POST"])
