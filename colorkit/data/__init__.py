"""Datasets of color images: files, videos, TensorFlow Datasets, and training batches."""
