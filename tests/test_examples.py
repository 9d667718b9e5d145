import doctest
import importlib
import inspect

import keras
import numpy as np
import pytest

import colorkit as ck

OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
MODULES = [
    importlib.import_module(f"colorkit.{name}")
    for name in sorted({*ck._NAMES.values(), *ck._MODULES.values()})
]


def public():
    """Return the public classes and functions by name, each with its first public module."""
    found, known = {}, set()
    for module in MODULES:
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            if (inspect.isclass(value) or inspect.isfunction(value)) and value not in known:
                found[f"{module.__name__.removeprefix('colorkit.')}.{name}"] = value, module
                known.add(value)
    return found


PUBLIC = public()


def examples(value, module, recurse=True):
    """Return the examples of a docstring, which may use the public names of the module."""
    names = {name: getattr(module, name) for name in getattr(module, "__all__", ())}
    names = {**names, "np": np, "keras": keras, "ck": ck}
    finder = doctest.DocTestFinder(recurse=recurse)
    # With a module, examples that a class inherits from Keras are left out.
    home = inspect.getmodule(value)
    found = finder.find(value, value.__name__, module=home, globs=names)
    return [test for test in found if test.examples]


def run(tests):
    runner, report = doctest.DocTestRunner(optionflags=OPTIONS), []
    for test in tests:
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


@pytest.mark.parametrize("name", PUBLIC)
def test_examples_of_public_names_run(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tests = examples(*PUBLIC[name])
    own = PUBLIC[name][0].__name__
    assert own in [test.name for test in tests], "the docstring must have an example"
    run(tests)


@pytest.mark.parametrize("module", [ck, *MODULES], ids=lambda module: module.__name__)
def test_examples_of_modules_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(examples(module, module, recurse=False))


def test_public_names_of_the_package_are_public_in_their_modules():
    for name, module in ck._NAMES.items():
        assert name in importlib.import_module(f"colorkit.{module}").__all__


def test_every_example_of_the_package_is_of_a_public_name():
    tested = {test.docstring for found in PUBLIC.values() for test in examples(*found)}
    for module in {inspect.getmodule(value) for value, _ in PUBLIC.values()}:
        for test in doctest.DocTestFinder().find(module):
            if test.examples and test.name != module.__name__:
                assert test.docstring in tested, f"{test.name} is not public"
