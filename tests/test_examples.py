import doctest
import importlib
import inspect

import keras
import numpy as np
import pytest

import colorkit as ck

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
# Public modules, each with the names that `__all__` makes public.
MODULES = {
    name: importlib.import_module(f"colorkit.{name}")
    for name in sorted({*ck._NAMES.values(), *ck._MODULES.values()})
}
MODULES = {name: module for name, module in MODULES.items() if hasattr(module, "__all__")}


def public():
    """Map the full name of each public class and function to it, by the module that defines it."""
    found = {}
    for module in MODULES.values():
        for name in module.__all__:
            value = getattr(module, name)
            if inspect.isclass(value) or inspect.isfunction(value):
                found[f"{value.__module__.removeprefix('colorkit.')}.{name}"] = value
    return found


PUBLIC = public()


def names_for(value):
    """Return what an example may use: np, keras, ck, and the public names of its module."""
    module = importlib.import_module(value.__module__)
    parents = [module, importlib.import_module(value.__module__.rpartition(".")[0])]
    names = {
        name: getattr(parent, name)
        for parent in reversed(parents)
        for name in getattr(parent, "__all__", [])
        if parent is not ck
    }
    return {**names, value.__name__: value, "np": np, "keras": keras, "ck": ck}


def examples(value):
    tests = doctest.DocTestFinder(exclude_empty=True).find(value, globs=names_for(value))
    return [test for test in tests if test.examples]


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner, report = doctest.DocTestRunner(optionflags=OPTIONS), []
    for test in examples(PUBLIC[name]):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


@pytest.mark.parametrize("name", PUBLIC)
def test_public_name_has_an_example(name):
    assert any(test.examples for test in examples(PUBLIC[name])), f"{name} has no example"


def test_public_names_of_the_package_are_public_in_their_modules():
    for name, module in ck._NAMES.items():
        assert name in MODULES[module].__all__
