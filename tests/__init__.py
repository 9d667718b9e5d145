"""Tests of colorkit. Workers of pytest-xdist share the cores, so each takes one thread."""

import os

# As the notebooks that train do; TensorFlow trains faster with it on older CPUs.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
