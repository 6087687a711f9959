from importlinter.cli import lint_imports

from tests.architecture.house import ROOT


def test_contracts_hold(capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    failed = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert not failed, capsys.readouterr().out
