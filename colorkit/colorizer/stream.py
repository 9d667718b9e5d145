"""Process many items in order: threads prepare and finish them around the work of one thread."""

import itertools
import os
from concurrent.futures import ThreadPoolExecutor


def stream(items, prepare, work, finish, room):
    """Yield a result per item, in order and with a bounded number of items in memory.

    `work` turns a list of prepared items into a list of products, in this thread. Meanwhile, other
    threads `prepare` the next items and `finish` the previous ones. `finish` takes an item, the
    prepared one and its product, and returns the result. `room` of a prepared item is the number of
    such items to take at once. The result of an item that fails is its `Exception`, and the others
    continue.
    """
    items, count = iter(items), 1
    pool = ThreadPoolExecutor(os.cpu_count())

    def begin():
        taken = itertools.islice(items, count)
        return [(item, pool.submit(attempt, prepare, item)) for item in taken]

    def end(item, prepared, product):
        failed = isinstance(product, Exception)
        return product if failed else attempt(finish, item, prepared, product)

    try:
        window, finishing = begin(), []
        while window or finishing:
            following = begin()
            prepared = [(item, future.result()) for item, future in window]
            ready = [x for _, x in prepared if not isinstance(x, Exception)]
            products = iter(_each(work, ready))
            ending = []
            for item, x in prepared:
                product = x if isinstance(x, Exception) else next(products)
                ending.append(pool.submit(end, item, x, product))
            for future in finishing:
                yield future.result()
            window, finishing = following, ending
            count = min(map(room, ready), default=count)
    finally:
        pool.shutdown(cancel_futures=True)


def attempt(function, *arguments):
    """Return what a function returns, or its `Exception`."""
    try:
        return function(*arguments)
    except Exception as error:
        return error


def _each(work, items):
    """Return the products of items; if they fail together, of one after the other."""
    products = attempt(work, items)
    if not isinstance(products, Exception):
        return products
    return [products] if len(items) == 1 else [x for item in items for x in _each(work, [item])]
