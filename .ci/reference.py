"""Build the reference site with pdoc: `python .ci/reference.py [FOLDER]`. Warnings are errors."""

import importlib
import sys
import warnings
from pathlib import Path

import pdoc

import colorkit

ROOMS = {"color", "data", *colorkit._NAMES.values(), *colorkit._MODULES.values()}


def pages():
    """Return the documentation of the package and of each module with further public names."""
    # The page of the package has its classes and functions; its modules have their own pages.
    colorkit.__all__ = [name for name in colorkit._NAMES if getattr(colorkit, name)]
    modules = [colorkit]
    for room in sorted(ROOMS):
        module = importlib.import_module(f"colorkit.{room}")
        parent = sys.modules[module.__name__.rpartition(".")[0]]
        shown = {*colorkit.__all__, *getattr(parent, "__all__", ())}
        if {*getattr(module, "__all__", ())} - shown or room in ("color", "data"):
            modules.append(module)
    found = {module.__name__: pdoc.doc.Module(module) for module in modules}
    for name, page in found.items():
        # pdoc lists only modules that are in `__all__`.
        page.submodules = [x for full, x in found.items() if full.rpartition(".")[0] == name]
    return found


def write(found, folder):
    """Write pages, their index and their search into a folder."""
    pdoc.render.configure(
        docformat="google",
        include_undocumented=False,
        footer_text=f"colorkit {colorkit.__version__}",
        template_directory=Path(__file__).parent / "pdoc",
    )
    for name, page in found.items():
        path = folder / f"{name.replace('.', '/')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pdoc.render.html_module(page, found))
    (folder / "index.html").write_text(pdoc.render.html_index(found))
    (folder / "search.js").write_text(pdoc.render.search_index(found))


if __name__ == "__main__":
    found = pages()
    warnings.simplefilter("error")
    write(found, Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
