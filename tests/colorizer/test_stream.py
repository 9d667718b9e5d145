import threading
import time

import pytest

from colorkit.colorizer.stream import stream


def half(items):
    return [x / 2 for x in items]


def same(item, prepared, product):
    return item, prepared, product


def run(items, prepare=float, work=half, finish=same, room=lambda x: 4):
    return list(stream(items, prepare, work, finish, room))


@pytest.mark.parametrize("count", [0, 1, 2, 23])
def test_results_are_in_order(count):
    def slow(item):
        time.sleep(0.01 * (item % 3))
        return float(item)

    assert run(range(count), slow) == [(i, i, i / 2) for i in range(count)]


@pytest.mark.parametrize("stage", ["prepare", "work", "finish"])
def test_item_that_fails_in_any_stage_does_not_stop_the_others(stage):
    def failing(name, function):
        def call(first, *others):
            if stage == name and 5 in (first if name == "work" else [first]):
                raise MemoryError(name)
            return function(first, *others)

        return call

    results = run(
        range(9), failing("prepare", float), failing("work", half), failing("finish", same)
    )
    assert isinstance(results.pop(5), MemoryError)
    assert results == [(i, i, i / 2) for i in range(9) if i != 5]


def test_number_of_items_in_memory_is_bounded():
    begun, most, sizes = [], 0, []

    def items():
        for i in range(60):
            begun.append(i)
            yield i

    def work(items):
        sizes.append(len(items))
        return items

    for done, _ in enumerate(stream(items(), float, work, same, lambda x: 2 if x < 30 else 4)):
        most = max(most, len(begun) - done)
    assert most <= 3 * 4 and set(sizes[2:10]) == {2} and max(sizes) == 4


def test_work_stays_in_the_calling_thread_and_the_rest_does_not():
    threads = {"prepare": set(), "work": set(), "finish": set()}

    def seen(name, function):
        def call(*arguments):
            threads[name].add(threading.current_thread())
            return function(*arguments)

        return call

    run(range(9), seen("prepare", float), seen("work", half), seen("finish", same))
    assert threads["work"] == {threading.main_thread()}
    assert threading.main_thread() not in threads["prepare"] | threads["finish"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_interrupted_stream_begins_no_other_item(error):
    finished = []

    def work(items):
        if 9 in items:
            raise error
        return items

    with pytest.raises(error):
        run(range(99), work=work, finish=lambda *item: finished.append(item))
    assert len(finished) <= 9
    assert not [x for x in threading.enumerate() if x.name.startswith("ThreadPool")]
