"""Trained classifiers that come with the package, each with the record of its run."""
