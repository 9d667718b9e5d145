import pytest


@pytest.fixture
def truth(rng):
    return rng.random((3, 16, 17, 3), dtype="float32")
