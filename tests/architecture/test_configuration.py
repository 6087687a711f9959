"""docs/configuration.md tells every variable that the code reads, and its default."""

from __future__ import annotations

import ast
import re

from tests.architecture.house import ROOT, source_files

ROW = re.compile(r"^\| `([A-Z0-9_]+)` \| (.+?) \| .*\|$", re.MULTILINE)


def _documented() -> dict[str, str]:
    return dict(ROW.findall((ROOT / "docs" / "configuration.md").read_text()))


def _calls() -> list[ast.Call]:
    paths = [*source_files(), ROOT / "docker" / "gunicorn.conf.py"]
    return [
        node
        for path in paths
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
    ]


def _read_by_settings() -> dict[str, list[str]]:
    """Variable → its literal defaults, of `env("X", default=…)` and `env.int("X", …)`."""
    found: dict[str, list[str]] = {}
    for call in _calls():
        if not re.fullmatch(r"env(\.\w+)?", ast.unparse(call.func)):
            continue
        if not (call.args and isinstance(call.args[0], ast.Constant)):
            continue
        shown = found.setdefault(str(call.args[0].value), [])
        defaults = [k.value for k in call.keywords if k.arg == "default"] or call.args[1:2]
        shown += [text for text in map(_shown, defaults) if text is not None]
    return found


def _read_elsewhere() -> set[str]:
    """Variables read from os.environ itself."""
    names = set()
    for call in _calls():
        asked = re.fullmatch(r"os\.environ\.(get|setdefault)", ast.unparse(call.func))
        if asked and isinstance(call.args[0], ast.Constant):
            names.add(str(call.args[0].value))
    return names - {"DJANGO_SETTINGS_MODULE"}


def _shown(default: ast.expr) -> str | None:
    """How the page shows a default; None when it depends on something else."""
    try:
        value = eval(compile(ast.Expression(default), "default", "eval"), {"__builtins__": {}})  # noqa: S307
    except NameError:
        return None
    if isinstance(value, bool):
        return f"`{int(value)}`"
    return f"`{value}`" if value not in ("", [], None) else "–"


def test_page_lists_exactly_the_variables_that_are_read():
    assert set(_documented()) == set(_read_by_settings()) | _read_elsewhere()


def test_page_tells_the_defaults():
    documented = _documented()
    wrong = {
        name: (documented[name], defaults)
        for name, defaults in _read_by_settings().items()
        if defaults and documented[name] not in defaults
    }
    assert wrong == {}
