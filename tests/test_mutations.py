from tests.mutations import RUNS, run


def test_damaged_files_are_refused_by_name_or_read_whole():
    report = run(dict.fromkeys(RUNS, 20), seed=1)
    assert not report.faults, [(kind, what) for kind, what, _ in report.faults]
    assert sum(report.outcomes.values()) == 20 * len(RUNS)
    kinds = {kind for kind, outcome in report.outcomes if outcome == "refused"}
    assert kinds == {"image", "film", "model", "record", "run"}
