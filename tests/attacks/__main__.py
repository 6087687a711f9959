"""`make attack`: two attackers of their own kind against a running shop, and the figures.

A production server on a PostgreSQL of its own, with at least one of everything: sqlmap tries every
query parameter of the OpenAPI document, schemathesis every operation as each role. Nothing but
that server is asked, and the database is dropped in the end. Not in the gate: it takes minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from benchmarks import world
from tests.architecture.house import ROOT
from tests.torture.serving import Server, serving

REPORT = ROOT / "build" / "attack.json"
TOKEN = "attack"
BIN = Path(sys.executable).parent
ROLES = ("anonymous", "shopper", "merchant", "key")
# Run where the settings are the shop's: at least one of everything that the API can show, and a
# line of JSON with credentials by role.
FURNISH = """
import django; django.setup()
import json
from apps.accounts.services.api_keys import create_api_key
from apps.core.outbox import drain
from tests.contract.shop import furnish
from tests.factories.stores import StoreFactory
shop = furnish(StoreFactory(code="main", name="Main", is_default=True, order_prefix="WEB-"))
drain()
scopes = sorted(shop.owner.get_all_permissions())
_key, secret = create_api_key(created_by=shop.owner, name="Attack", scopes=scopes)
print(json.dumps({
    "anonymous": "",
    "shopper": shop.ana.client._credentials["HTTP_AUTHORIZATION"],
    "merchant": shop.merchant._credentials["HTTP_AUTHORIZATION"],
    "key": "Api-Key " + secret,
}))
"""
_STATUS = re.compile(r'http_requests_total\{[^}]*status="(\d+)"[^}]*\} ([\d.e+]+)')


@dataclass
class Report:
    """What was sent, and what came of it."""

    seconds: dict[str, int] = field(default_factory=dict)
    requests: dict[str, int] = field(default_factory=dict)
    server_errors: dict[str, int] = field(default_factory=dict)
    parameters: dict[str, int] = field(default_factory=dict)
    findings: dict[str, list[str]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)

    def write(self) -> None:
        REPORT.parent.mkdir(exist_ok=True)
        REPORT.write_text(json.dumps(vars(self), indent=2) + "\n")


def main() -> int:
    options = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    options.add_argument("--minutes", type=float, default=20, help="altogether (20)")
    seconds = options.parse_args().minutes * 60
    report = Report()
    with (
        world.own_database(world.server_url()) as database,
        world.stripe() as stripe,
        tempfile.TemporaryDirectory(prefix="commerce-attack-") as folder,
    ):
        os.environ |= _environment(database, stripe, folder)
        world.manage("migrate", "--verbosity=0")
        credentials = json.loads(_python(FURNISH).splitlines()[-1])
        with serving(os.environ) as server:
            for role in ROLES:
                _measured(
                    report,
                    server,
                    f"schemathesis {role}",
                    lambda role=role: _fuzz(
                        report, server, role, credentials[role], seconds / 2 / len(ROLES)
                    ),
                )
            _measured(
                report,
                server,
                "sqlmap",
                lambda: _inject(report, server, credentials["merchant"], seconds / 2),
            )
        checked = subprocess.run(
            [sys.executable, "manage.py", "check_invariants"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if checked.returncode:
            report.violations = checked.stdout.splitlines()
    report.write()
    sys.stdout.write(REPORT.read_text())
    bad = any(report.server_errors.values()) or any(report.findings.values()) or report.violations
    return 1 if bad else 0


def _environment(database: str, stripe: Mapping[str, str], folder: str) -> dict[str, str]:
    return {
        **world.production(database),
        "FIELD_ENCRYPTION_KEYS": "attack:" + "0" * 43 + "=",
        "MEDIA_ROOT": f"{folder}/media",
        "METRICS_TOKEN": TOKEN,
        "ACCESS_TOKEN_MINUTES": "600",
        "SIGN_IN_ATTEMPTS_PER_IP": "1000000",
        "API_RATE_PER_MINUTE": "0",
        "LOG_LEVEL": "ERROR",
        **stripe,
        # Nobody else is asked, whoever is named in a request.
        "PAYPAL_CLIENT_ID": "",
        "EXCHANGE_RATES_URL": "",
        "VIES_URL": "",
    }


def _python(code: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ran.stdout


def _counted(server: Server) -> dict[str, int]:
    """How many requests the server has answered, by status."""
    asked = urllib.request.Request(
        f"{server.url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
    )
    text = urllib.request.urlopen(asked, timeout=60).read().decode()
    found: dict[str, int] = {}
    for status, number in _STATUS.findall(text):
        found[status] = found.get(status, 0) + int(float(number))
    return found


def _measured(report: Report, server: Server, name: str, attack: Any) -> None:
    before, started = _counted(server), time.monotonic()
    attack()
    after = _counted(server)
    new = {status: number - before.get(status, 0) for status, number in after.items()}
    report.seconds[name] = round(time.monotonic() - started)
    report.requests[name] = sum(new.values())
    report.server_errors[name] = sum(n for status, n in new.items() if status.startswith("5"))
    report.write()


def _fuzz(report: Report, server: Server, role: str, credential: str, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        document, junit = Path(folder) / "openapi.json", Path(folder) / "report.xml"
        document.write_bytes(server.call("GET", "/api/v1/schema/").body)
        command = [
            *(str(BIN / "schemathesis"), "run", str(document), f"--url={server.url}"),
            *("--checks=not_a_server_error", "--phases=examples,coverage,fuzzing"),
            *("--no-shrink", "--workers=4", "--continue-on-failure", "--warnings=off"),
            *("--request-timeout=30", f"--max-time={max(1, int(seconds))}"),
            *("--report=junit", f"--report-junit-path={junit}"),
            *("--header", "Accept: application/json"),
        ]
        if credential:
            command += ["--header", f"Authorization: {credential}"]
        subprocess.run(command, cwd=folder, capture_output=True, timeout=seconds + 300, check=False)
        text = junit.read_text() if junit.exists() else ""
    report.parameters[f"operations {role}"] = text.count("<testcase")
    failed = re.findall(r'<testcase name="([^"]+)"[^>]*>\s*<failure', text)
    report.findings[f"schemathesis {role}"] = sorted(set(failed)) if text else ["no report"]


def targets(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(path, parameter) of every query parameter of every GET, the public ones first."""
    found = [
        (path, parameter["name"])
        for path, item in document["paths"].items()
        for parameter in item.get("get", {}).get("parameters", ())
        if parameter["in"] == "query" and "{" not in path
    ]
    return sorted(found, key=lambda target: "/admin/" in target[0])


def _inject(report: Report, server: Server, credential: str, seconds: float) -> None:
    document = server.call("GET", "/api/v1/schema/").json
    wanted, end = targets(document), time.monotonic() + seconds
    verdicts: dict[str, list[str]] = {"injectable": [], "safe": [], "unknown": []}
    for path, name in wanted:
        left = end - time.monotonic()
        if left <= 0:
            break
        verdicts[_verdict(server, path, name, credential, left)].append(f"{path} {name}")
    report.parameters |= {
        "sqlmap of": len(wanted),
        **{f"sqlmap {verdict}": len(found) for verdict, found in verdicts.items()},
    }
    report.findings["sqlmap"] = verdicts["injectable"]


def _verdict(server: Server, path: str, name: str, credential: str, seconds: float) -> str:
    """ "injectable", "safe", or "unknown" for what wasn't finished in time."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(str(BIN / "sqlmap"), "-u", f"{server.url}{path}?{urlencode({name: '1'})}"),
            *("-p", name, "--batch", "--flush-session", "--disable-coloring", "--threads=4"),
            *("--level=2", "--risk=1", "--technique=BEUS", "--dbms=postgresql", "--timeout=30"),
            *("--ignore-code=400,401,403,404", f"--output-dir={folder}"),
            f"--headers=Authorization: {credential}",
        ]
        try:
            ran = subprocess.run(
                command, capture_output=True, text=True, timeout=max(5, seconds), check=False
            )
        except subprocess.TimeoutExpired:
            return "unknown"
    if "identified the following injection" in ran.stdout:
        return "injectable"
    return "safe" if "do not appear to be injectable" in ran.stdout else "unknown"


if __name__ == "__main__":
    sys.exit(main())
