"""What is personal in the ground floor's own tables."""

from django.db.models import Q

from apps.core.models import (
    AuditEntry,
    AuditSeal,
    EncryptionKey,
    IdempotencyRecord,
    OutboxMessage,
    OutdatedKeys,
    RateCounter,
    SavedView,
)
from apps.core.personal import Reason, Where, deleted, emptied, impersonal, lasts

# Answers to keyed requests live a day, under a digest; nobody finds one by its person.
impersonal(AuditSeal, EncryptionKey, IdempotencyRecord, OutdatedKeys, RateCounter, SavedView)
deleted(OutboxMessage, Where(mentions=("payload", "last_error")))
lasts(OutboxMessage, days=30, rows=Q(status=OutboxMessage.Status.DONE))
# Written once: what is personal doesn't get in (`core.audit`), but for who did it.
emptied(
    AuditEntry,
    Where(user="actor_user_id"),
    forgets={},
    keeps={"actor": "", "ip": ""},
    reason=Reason.AUDIT,
    plain="request_id action object_type object_id object_label changes digest",
)
