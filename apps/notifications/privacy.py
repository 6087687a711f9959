"""What is personal in the delivery log: mails to a person, and those that tell staff of one."""

from django.db.models import Q

from apps.core.personal import Where, deleted, lasts
from apps.notifications.models import Notification

deleted(Notification, Where(email="recipient", mentions=("subject", "body_text")))
lasts(
    Notification,
    days=365,
    rows=Q(status__in=(Notification.Status.SENT, Notification.Status.FAILED)),
)
