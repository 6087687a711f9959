"""What is personal in accounts."""

from django.contrib.admin.models import LogEntry

from apps.accounts.models import (
    ApiKey,
    ApiKeyBill,
    ApiPlan,
    BackupCode,
    Challenge,
    IdentityProvider,
    Passkey,
    RefreshToken,
    SecondFactor,
    SocialAccount,
    User,
)
from apps.core.personal import Where, deleted, impersonal, impersonal_texts

deleted(User, Where(user="pk"), hidden="password")
# Django's history of the back office.
deleted(LogEntry, Where(user="user", mentions=("object_repr", "change_message")))
deleted(SecondFactor, Where(user="user"), hidden="seed")
deleted(BackupCode, Where(user="user"), hidden="digest")
deleted(Passkey, Where(user="user"), hidden="digest credential")
deleted(SocialAccount, Where(user="user"), hidden="subject")
# Of minutes; what somebody began who had no account yet goes with its time.
deleted(Challenge, Where(user="user"), hidden="digest data")
deleted(RefreshToken, Where(user="user"), hidden="digest fingerprint")
# Networks are of machines; the audit log names them.
deleted(ApiKey, Where(user="user"), plain="allowed_networks", hidden="digest previous_digest")
impersonal(ApiPlan, IdentityProvider)
impersonal_texts(ApiKeyBill, "currency")
