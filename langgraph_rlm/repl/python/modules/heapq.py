"""`heapq`: lists whose first item is the least; each item is at most those at twice its place."""


def _less(a, b):
    """Whether one item is below another, where Monty cannot tell."""
    return __rlm__["module"]("_operations").less(a, b)


def _rise(heap, place):
    """Moves an item up to where it is not below a greater one."""
    item = heap[place]
    while place > 0:
        parent = (place - 1) // 2
        try:
            is_below = item < heap[parent]
        except TypeError:
            is_below = _less(item, heap[parent])
        if not is_below:
            break
        heap[place] = heap[parent]
        place = parent
    heap[place] = item


def _sink(heap, place):
    """Moves an item down to where it is not above a lesser one."""
    item, size = heap[place], len(heap)
    while 2 * place + 1 < size:
        left = child = 2 * place + 1
        try:
            if child + 1 < size and heap[child + 1] < heap[child]:
                child += 1
            is_above = heap[child] < item
        except TypeError:
            child = left + 1 if left + 1 < size and _less(heap[left + 1], heap[left]) else left
            is_above = _less(heap[child], item)
        if not is_above:
            break
        heap[place] = heap[child]
        place = child
    heap[place] = item


def heappush(heap, item):
    heap.append(item)
    _rise(heap, len(heap) - 1)


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
    return heapreplace(heap, item) if heap and _less(heap[0], item) else item


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
