"""Execute notebooks and print, per notebook, the minutes and the longest time without output.

Usage: python .ci/silence.py notebooks/00_*.ipynb ... (profile from COLORKIT_PROFILE)
"""

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

VISIBLE = ("stream", "display_data", "execute_result", "update_display_data")


class Timed(NotebookClient):
    """Execute a notebook and remember the longest silence and the cell that it was in."""

    longest, where, last, index = 0.0, 0, 0.0, -1

    def heard(self):
        silence = time.perf_counter() - self.last
        if silence > self.longest:
            self.longest, self.where = silence, self.index
        self.last = time.perf_counter()

    async def async_execute_cell(self, cell, cell_index, **options):
        self.index, self.last = cell_index, time.perf_counter()
        cell = await super().async_execute_cell(cell, cell_index, **options)
        self.heard()
        return cell

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] in VISIBLE:
            self.heard()
        return super().process_message(msg, cell, cell_index)


for path in map(Path, sys.argv[1:]):
    client = Timed(nbformat.read(path, as_version=4), timeout=None, kernel_name="python3")
    begin = time.perf_counter()
    client.execute(cwd=path.parent)
    minutes = (time.perf_counter() - begin) / 60
    print(
        f"{path.stem}: {minutes:.1f} min, longest silence {client.longest:.0f} s "
        f"in cell {client.where}",
        flush=True,
    )
