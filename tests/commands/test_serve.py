import types

import pytest

from colorkit.__main__ import main
from colorkit.commands import serve


class _Interrupted:
    def wait(self):
        raise KeyboardInterrupt


@pytest.fixture
def launched(monkeypatch):
    """What the command gives the page, which is not started."""
    page = pytest.importorskip("colorkit.page")
    found = {}

    def launch(*models, **options):
        found.update(options, models=models, closed=0)

        def close(verbose):
            found["closed"] += 1

        return types.SimpleNamespace(local_url="http://127.0.0.1:7861/", close=close)

    monkeypatch.setattr(page, "launch", launch)
    monkeypatch.setattr(serve.threading, "Event", _Interrupted)
    return found


def test_serve_prints_the_address_and_closes_when_interrupted(launched, capsys):
    assert main(["serve", "--port", "7861", "--model", "cifar10", "own.keras"]) == 0
    assert "Open http://127.0.0.1:7861/ in a browser" in capsys.readouterr().out
    assert launched == {
        "models": ("cifar10", "own.keras"), "host": "127.0.0.1", "port": 7861, "closed": 1
    }  # fmt: skip


def test_serve_listens_on_this_computer_alone_by_default(launched):
    main(["serve"])
    assert launched["host"] == "127.0.0.1" and launched["models"] == ()  # those of `launch`
