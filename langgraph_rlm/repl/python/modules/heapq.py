"""`heapq`: lists whose first item is the least; each item is at most those at twice its place."""


def _before(item):
    """How items like this one are compared, where Monty cannot."""
    return __rlm__["module"]("_operations").before(item)


def _rise(heap, start, place):
    """Moves an item up to where it is not below a greater one, no further than to `start`."""
    item = heap[place]
    try:
        while place > start:
            parent = (place - 1) // 2
            if not item < heap[parent]:
                break
            heap[place] = heap[parent]
            place = parent
    except TypeError:
        is_below = _before(item)
        while place > start:
            parent = (place - 1) // 2
            if not is_below(item, heap[parent]):
                break
            heap[place] = heap[parent]
            place = parent
    heap[place] = item


def _sink(heap, start):
    """Moves an item down to the bottom, the lesser one of two up to its place, and then up as far as it goes."""
    item, size, place = heap[start], len(heap), start
    child = 2 * place + 1
    try:
        while child < size:
            if child + 1 < size and not heap[child] < heap[child + 1]:
                child += 1
            heap[place] = heap[child]
            place, child = child, 2 * child + 1
    except TypeError:
        is_below = _before(item)
        while child < size:
            if child + 1 < size and not is_below(heap[child], heap[child + 1]):
                child += 1
            heap[place] = heap[child]
            place, child = child, 2 * child + 1
    heap[place] = item
    _rise(heap, start, place)


def heappush(heap, item):
    heap.append(item)
    _rise(heap, 0, len(heap) - 1)


def heappop(heap):
    last = heap.pop()
    return heapreplace(heap, last) if heap else last


def heapreplace(heap, item):
    """Takes the least item and puts another in its place."""
    least = heap[0]
    heap[0] = item
    _sink(heap, 0)
    return least


def heappushpop(heap, item):
    return heapreplace(heap, item) if heap and _is_below(heap[0], item) else item


def _is_below(a, b):
    try:
        return a < b
    except TypeError:
        return _before(a)(a, b)


def heapify(x):
    for place in range(len(x) // 2 - 1, -1, -1):
        _sink(x, place)


def _places(items, key, reverse):
    keys = items if key is None else [key(item) for item in items]
    try:
        return sorted(range(len(items)), key=lambda place: keys[place], reverse=reverse)
    except TypeError:
        return __rlm__["module"]("_operations").places(keys, reverse)


def nlargest(n, iterable, key=None):
    items = list(iterable)
    return [items[place] for place in _places(items, key, True)[: max(n, 0)]]


def nsmallest(n, iterable, key=None):
    items = list(iterable)
    return [items[place] for place in _places(items, key, False)[: max(n, 0)]]


def merge(*iterables, key=None, reverse=False):
    """The items of sorted iterables in order: a list here."""
    items = [item for iterable in iterables for item in iterable]
    return iter([items[place] for place in _places(items, key, reverse)])
