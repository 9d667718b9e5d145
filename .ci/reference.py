"""Build the reference site with pdoc: `python .ci/reference.py [FOLDER]`. Warnings are errors."""

import importlib
import sys
import warnings
from pathlib import Path

import pdoc

import colorkit


def pages():
    """Return the documentation of each public module whose names no other page has."""
    found = [colorkit]
    for name in sorted({"color", "data", *colorkit._NAMES.values(), *colorkit._MODULES.values()}):
        module = importlib.import_module(f"colorkit.{name}")
        parent = sys.modules[module.__name__.rpartition(".")[0]]
        names = set(getattr(module, "__all__", ())) - {*colorkit._NAMES}
        if names - {*getattr(parent, "__all__", ())} or name in ("color", "data"):
            found.append(module)
    return {module.__name__: pdoc.doc.Module(module) for module in found}


def build(folder):
    """Write the pages, their index and their search into a folder."""
    colorkit.__all__ = [name for name in colorkit._NAMES if getattr(colorkit, name)]
    modules = pages()
    for name, page in modules.items():
        # pdoc lists only modules that are in `__all__`.
        page.submodules = [x for full, x in modules.items() if full.rpartition(".")[0] == name]
    pdoc.render.configure(
        docformat="google",
        include_undocumented=False,
        footer_text=f"colorkit {colorkit.__version__}",
        template_directory=Path(__file__).parent / "pdoc",
    )
    for name, page in modules.items():
        path = folder / f"{name.replace('.', '/')}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pdoc.render.html_module(page, modules))
    (folder / "index.html").write_text(pdoc.render.html_index(modules))
    (folder / "search.js").write_text(pdoc.render.search_index(modules))


if __name__ == "__main__":
    warnings.simplefilter("error")
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "site"))
