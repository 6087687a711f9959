"""Budgets: what keeps a house from having feared rooms is not its median but its tail."""

from __future__ import annotations

import ast
from math import ceil
from pathlib import Path

from tests.architecture.house import ROOT, source_files

FILE_TYPICAL, FILE_HARD = 300, 500
FUNCTION_TYPICAL, FUNCTION_HARD = 35, 60
PARAMETERS = 7

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _percentile_95(sizes: list[int]) -> int:
    return sorted(sizes)[ceil(len(sizes) * 0.95) - 1]


def _functions() -> list[tuple[str, Function]]:
    return [
        (f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", node)
        for path in source_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, Function)
    ]


def _lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def _length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _parameters(function: Function) -> int:
    arguments = function.args
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_files_are_short():
    sizes = {str(path.relative_to(ROOT)): _lines(path) for path in source_files()}
    assert {name: size for name, size in sizes.items() if size > FILE_HARD} == {}
    assert _percentile_95(list(sizes.values())) <= FILE_TYPICAL


def test_functions_are_short():
    sizes = {name: _length(function) for name, function in _functions()}
    assert {name: size for name, size in sizes.items() if size > FUNCTION_HARD} == {}
    assert _percentile_95(list(sizes.values())) <= FUNCTION_TYPICAL


def test_functions_take_few_parameters():
    counts = {name: _parameters(function) for name, function in _functions()}
    assert {name: count for name, count in counts.items() if count > PARAMETERS} == {}
