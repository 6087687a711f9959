"""Truths that must hold whatever happened: `manage.py check_invariants` proves them.

A room registers a check beside the reads it uses; a check yields one line per violation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

Check = Callable[[], Iterable[str]]
_checks: dict[str, Check] = {}


def invariant(name: str) -> Callable[[Check], Check]:
    """Register a check under its name, which says the truth ("stock equals its movements")."""

    def register(check: Check) -> Check:
        _checks[name] = check
        return check

    return register


def violations() -> dict[str, list[str]]:
    """Run every check; the violations found, by the name of the check."""
    return {name: list(check()) for name, check in _checks.items()}
