"""Notebooks of one paper train the same experiments: `--dist loadgroup` makes them take turns."""

import pytest

collect_ignore = ["solutions"]  # tests/test_exercises.py executes them
PAPERS = {"champati": range(4, 8), "stellbrink": range(8, 10)}


def pytest_itemcollected(item):
    number = int(item.path.name[:2])
    for paper, numbers in PAPERS.items():
        if number in numbers:
            item.add_marker(pytest.mark.xdist_group(paper))
