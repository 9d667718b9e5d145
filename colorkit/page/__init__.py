"""A page in the browser to color pictures with, on one's own machine or in a notebook."""

from colorkit.page.server import build, launch

__all__ = ["build", "launch"]
