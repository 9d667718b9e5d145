"""Format all records as one page."""

from colorkit.report import claims, studies, tables


def render(records):
    """Format summary, tables, studies, verdicts on claims and all records as Markdown.

    Args:
        records: List of `Record`.
    """
    verdicts, unseen = claims.report(records)
    parts = {
        "Summary": tables.summary(records),
        "The tables of Champati, Houle and Zhang": tables.render(records),
        **_studies(records),
    }
    for label, table in verdicts.items():
        parts[f"What the papers claim, on {label}" if label else "What the papers claim"] = table
    if unseen:
        parts["Not run, so that no verdict is possible"] = "\n".join(f"- {text}" for text in unseen)
    parts["All records"] = tables.overview(records)
    return "\n\n".join(f"## {title}\n\n{text}" for title, text in parts.items())


def _studies(records):
    """Return the studies on each dataset they were run on, as a dict from title to table."""
    return {
        f"{study.title}, on {label}" if label else study.title: studies.render(
            records, studies.on(study, label)
        )
        for study in studies.STUDIES
        for label in studies.labels(records, study)
    }
