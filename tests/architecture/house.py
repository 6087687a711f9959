"""What the machines read: the floors from pyproject.toml, the files from git."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {
    contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
}


def floors() -> list[list[str]]:
    """The apps of each floor, from the ground up, as the layers contract has them."""
    return [
        [name.strip() for name in layer.split("|")]
        for layer in reversed(CONTRACTS["floors"]["layers"])
    ]


def rank() -> dict[str, int]:
    """App → number of its floor, the ground being 0."""
    return {app: number for number, apps in enumerate(floors()) for app in apps}


def committed_files() -> list[Path]:
    """Every file of the tree that git keeps or would keep."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
    return [ROOT / name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]


def source_files() -> list[Path]:
    """The Python of the house; migrations are written by a machine."""
    return [
        path
        for path in committed_files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in ("apps", "commerce")
        and "migrations" not in path.parts
    ]
