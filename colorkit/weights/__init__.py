"""Trained colorizers that come with the package, each with the record of its run."""
