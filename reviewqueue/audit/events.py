"""The names of everything that can happen, in one enum: past tense, subject first."""

from __future__ import annotations

from enum import StrEnum


class EventType(StrEnum):
    ITEM_ENQUEUED = "item.enqueued"
    ITEM_AUTO_ACCEPTED = "item.auto_accepted"
    ITEM_CLAIMED = "item.claimed"
    ITEM_CLAIM_RELEASED = "item.claim_released"
    ITEM_CLAIM_EXPIRED = "item.claim_expired"
    ITEM_REVIEWED = "item.reviewed"
    ITEM_DISPUTED = "item.disputed"
    ITEM_ACCEPTED = "item.accepted"
    ITEM_EDITED = "item.edited"
    ITEM_REJECTED = "item.rejected"
    ITEM_EXPIRED = "item.expired"
    ITEM_WITHDRAWN = "item.withdrawn"
    ITEM_REOPENED = "item.reopened"
    ITEM_RECALLED = "item.recalled"
    ITEM_ESCALATED = "item.escalated"
    ITEM_DEESCALATED = "item.deescalated"
    ITEM_ACKNOWLEDGED = "item.acknowledged"
    ITEM_SNOOZED = "item.snoozed"
    ITEM_WOKEN = "item.woken"
    ITEM_ASSIGNED = "item.assigned"
    ITEM_COMMENTED = "item.commented"
    ITEM_CORRECTED = "item.corrected"
    ITEM_UNDONE = "item.undone"
    ITEM_EVIDENCE_ERASED = "item.evidence_erased"

    QUEUE_CREATED = "queue.created"
    QUEUE_CHANGED = "queue.changed"
    QUEUE_ROLE_GRANTED = "queue.role_granted"
    QUEUE_ROLE_REVOKED = "queue.role_revoked"
    POLICY_PUBLISHED = "policy.published"
    CALENDAR_PUBLISHED = "calendar.published"

    PERSON_ADDED = "person.added"
    PERSON_CHANGED = "person.changed"
    PERSON_DISABLED = "person.disabled"
    PERSON_ENABLED = "person.enabled"
    PERSON_PASSWORD_SET = "person.password_set"
    PERSON_SIGNED_IN = "person.signed_in"
    PERSON_SIGNED_OUT = "person.signed_out"
    PERSON_SIGN_IN_FAILED = "person.sign_in_failed"
    PERSON_LINK_MADE = "person.link_made"
    TEAM_CREATED = "person.team_created"
    TEAM_CHANGED = "person.team_changed"

    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"

    SIGNING_KEY_MADE = "signing_key.made"
    SIGNING_KEY_RETIRED = "signing_key.retired"
    SIGNING_KEY_REVOKED = "signing_key.revoked"
    SIGNING_KEY_DESTROYED = "signing_key.destroyed"

    CHANNEL_ADDED = "channel.added"
    CHANNEL_REMOVED = "channel.removed"
    CHANNEL_TESTED = "channel.tested"
    ROTATION_PUBLISHED = "rotation.published"

    CLOCK_STEPPED = "clock.stepped"
