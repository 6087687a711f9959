"""The measuring programs start; what they measure takes too long to be a test."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.house import ROOT


@pytest.mark.parametrize("program", ["benchmarks", "benchmarks.exports"])
def test_program_tells_what_it_takes(program):
    command = [sys.executable, "-m", program, "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:6], done.stderr) == (0, "usage:", "")
