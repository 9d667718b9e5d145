"""Format all records as one page."""

from colorkit.report import claims, departures, studies, tables

__all__ = ["render"]

_DEPARTURES = """\
A cell has the paper's setting and that of the profile `full`. An empty cell means that both are the
same, or that the setting does not apply. At `full`, the networks have the widths of the papers, and
tests compare the numbers of weights that are known. Notebooks 09 to 12 list how networks and losses
differ."""


_HOURS = """\
Sums over the records, most of them from two cores of a CPU. Machines and their load differed, so
another one may need half or twice as long. A base does not count twice, if its record is here."""


def render(records):
    """Format summary, tables, studies, verdicts and a list of all `Record` as Markdown.

    Example:
        >>> print(render([ck.results.pretrained()]).splitlines()[0])
        ## Summary
    """
    verdicts, missing = claims.report(records)
    parts = {
        "Summary": tables.summary(records),
        "The tables of Champati, Houle and Zhang": tables.render(records),
    }
    for study in studies.STUDIES:
        for label in studies.labels(records, study):
            text = studies.render(records, studies.on(study, label))
            parts[f"{study.title}, on {label}" if label else study.title] = text
    parts["How the verdicts are reached"] = claims.rules()
    for label, table in verdicts.items():
        parts[f"What the papers claim, on {label}" if label else "What the papers claim"] = table
    if missing:
        parts["Not run, so that no verdict is possible"] = "\n".join(
            f"- {text}" for text in missing
        )
    parts["Where `full` departs from the papers"] = f"{_DEPARTURES}\n\n{departures.render()}"
    parts["Hours of training"] = f"{_HOURS}\n\n{tables.durations(records)}"
    note = 'A git revision with "+" had changes that were not committed.'
    parts["All records"] = f"{note}\n\n{tables.overview(records)}"
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items())
