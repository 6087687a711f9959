"""Celery tasks of accounts."""

from __future__ import annotations

from celery import shared_task

from apps.accounts.services import challenges, tokens, usage


@shared_task(ignore_result=True)
def prune_tokens() -> int:
    """Delete refresh tokens and challenges that expired."""
    return tokens.prune_tokens() + challenges.prune_challenges()


@shared_task(ignore_result=True)
def close_months() -> int:
    """Bill the months of API keys that are over."""
    return usage.close_months()
