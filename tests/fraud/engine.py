"""An outside judge that the tests can tell what to say."""

from __future__ import annotations

import time

from apps.fraud.engines.base import Facts, FraudEngine, FraudEngineError, Opinion


class ObedientEngine(FraudEngine):
    """Its answer is in the mailbox: "points-60@…", "fails@…", "sleeps@…"."""

    def judge(self, facts: Facts) -> Opinion:
        word, _dash, points = facts.email.partition("@")[0].partition("-")
        if word == "fails":
            raise FraudEngineError("down", permanent=False)
        if word == "sleeps":
            time.sleep(0.5)
        return Opinion(int(points or 0), "said so")
