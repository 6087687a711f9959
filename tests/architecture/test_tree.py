"""The tree speaks of itself alone: of no machine it was made on, of no mirror it was fed from."""

import re

from tests.architecture.house import ROOT, committed_files

# Written in pieces, or this file would find itself.
MACHINES = re.compile(r"/(?:wor" + r"k|roo" + r"t|home/[a-z]+)/|/opt/ag" + r"ents")
REGISTRIES = re.compile(
    r"files\.python" + r"hosted\.org|pypi\.org/sim" + r"ple|registry\.npm" + r"js\.org|"
    r"--(?:extra-)?index" + r"-url|--find" + r"-links"
)
SHARED = re.compile(r"\.\./sha" + r"red\b")


def _found(pattern: re.Pattern[str], folder: str | None = None) -> list[str]:
    found = []
    for path in committed_files():
        name = path.relative_to(ROOT)
        if folder is not None and name.parts[0] == folder:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{name}: {hit.group()}" for hit in pattern.finditer(text)]
    return found


def test_no_path_of_a_machine_is_in_the_tree():
    assert _found(MACHINES) == []


def test_no_registry_address_is_in_the_tree():
    assert _found(REGISTRIES) == []


def test_only_tests_read_beside_the_checkout():
    assert _found(SHARED, "tests") == []
