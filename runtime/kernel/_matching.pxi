"""The compiled form of `receive` with patterns, where the oldest message is one that they match.

It runs no code of the program's: types, tuples of patterns and values whose comparison is Python's own are looked at
here. Everything else, what does not match among it, is for the sources to look at, from the beginning.
"""

cdef enum:
    DEEPEST_PATTERN = 10


cdef inline bint is_reference(PyTypeObject *kind):
    return kind is _Ref or kind is _TimerRef


cdef bint same(object value, object message) except -1:
    """Whether two values are known to be equal without code of the program's."""
    cdef PyTypeObject *kind = Py_TYPE(value)
    cdef PyTypeObject *other = Py_TYPE(message)
    if value is message:
        return True
    if kind is &PyUnicode_Type or kind is _Atom:
        return (other is &PyUnicode_Type or other is _Atom) and <bint>(value == message)
    if kind is &PyLong_Type or kind is &PyBytes_Type:
        return other is kind and <bint>(value == message)
    if is_reference(kind):
        return (
            is_reference(other)
            and <object>load(<PyObject *>value, s_ref_id) == <object>load(<PyObject *>message, s_ref_id)
            and <object>load(<PyObject *>value, s_ref_node) == <object>load(<PyObject *>message, s_ref_node)
        )
    if kind is _Pid:
        return other is _Pid and <object>load(<PyObject *>value, s_pid_id) == <object>load(<PyObject *>message, s_pid_id)
    return False


cdef bint matches(object pattern, object message, int depth) except -1:
    """Whether a message is known to match, without code of the program's."""
    cdef Py_ssize_t index, length
    if pattern is _ANY:
        return True
    if type(pattern) is type:
        return PyType_IsSubtype(Py_TYPE(message), <PyTypeObject *>pattern)
    if type(pattern) is not tuple:
        return same(pattern, message)
    length = len(<tuple>pattern)
    if not isinstance(message, tuple) or len(<tuple>message) != length or depth >= DEEPEST_PATTERN:
        return False
    if type(message) is not tuple and Py_TYPE(message) is not _Down:  # another kind may have a way of its own to items
        return False
    for index in range(length):
        if not matches((<tuple>pattern)[index], (<tuple>message)[index], depth + 1):
            return False
    return True


cdef long long newest_reference(object pattern, int depth) except -2:
    """`_newest_reference`: the highest number of the references that a pattern demands, -1 for one not known here."""
    cdef long long newest = 0, number
    cdef PyTypeObject *kind = Py_TYPE(pattern)
    if is_reference(kind):
        if <object>load(<PyObject *>pattern, s_ref_node):
            return 0
        try:
            return <object>load(<PyObject *>pattern, s_ref_id)
        except OverflowError:  # a peer has made it up
            return -1
    if type(pattern) is type or pattern is _ANY or PySet_Contains(_immutable, <object>kind):
        return 0
    if type(pattern) is not tuple or depth >= DEEPEST_PATTERN:
        return -1
    for item in <tuple>pattern:
        number = newest_reference(item, depth + 1)
        if number < 0:
            return -1
        newest = max(newest, number)
    return newest


cdef bint is_past(object process, tuple patterns) except -1:
    """Whether what a process has saved is known to match none of the patterns."""
    cdef long long oldest = -1, newest
    cdef PyObject *found
    for pattern in patterns:
        newest = newest_reference(pattern, 0)
        if newest < 0:
            return False
        oldest = newest if oldest < 0 else min(oldest, newest)
    if oldest > 0:
        return oldest > <long long>process.saved_before
    found = PyDict_GetItem(_known, patterns)
    return (
        found is not NULL
        and process.saved_for is <object>found
        and load(found, s_stable) is TRUE
        and load(found, s_first) is <PyObject *>Py_TYPE(patterns[0])
        and load(found, s_kinds) is NONE
    )


cdef inline bint matches_any(tuple patterns, object message) except -1:
    for pattern in patterns:
        if matches(pattern, message, 0):
            return True
    return False


cdef object _NOT_YET = object()


cdef object take_oldest(object process, tuple patterns):
    """Take the oldest message of a process, if it is known to match. `_NOTHING` where the sources are to look.

    `_NOT_YET` where there is none that could match.
    """
    cdef PyObject *record = <PyObject *>process
    cdef PyObject *held = load(record, s_saved)  # borrowed: to count a reference takes longer than all else of this
    cdef object waiting
    if held is not NONE and len(<object>held):
        if not len(patterns) and kind_of(held) is _deque:
            return _popleft(<object>held)
        if not len(patterns) or not is_past(process, patterns):
            return _NOTHING
    held = load(record, s_mailbox)
    if held is NONE:
        return _NOT_YET
    if kind_of(held) is &PyTuple_Type:
        if len(patterns) and not matches_any(patterns, (<tuple>held)[0]):
            return _NOTHING
        return take_single(record, s_mailbox)
    if kind_of(held) is not _deque:
        return _NOTHING
    waiting = <object>held
    if not Py_SIZE(waiting):
        return _NOT_YET
    if not len(patterns) or matches_any(patterns, waiting[0]):
        return _popleft(waiting)
    return _NOTHING


cdef class OldestMessage:
    """The caller's oldest message, if it matches the patterns that are the key; waits for one.

    In a case that is not the usual: what `by_sources` returns for them. An item and no call: after a call Python runs
    the handlers of signals, and one that raises would lose the message.
    """

    cdef object by_sources

    def __init__(self, by_sources):
        self.by_sources = by_sources

    def __getitem__(self, tuple patterns):
        cdef PyObject *worker = running_greenlet()
        if not usable() or kind_of(worker) is not _Worker:
            ensure_stack()
            return self.by_sources(patterns, {})
        cdef object process = <object>load(worker, s_process), message
        cdef PyObject *record = <PyObject *>process
        if Py_TYPE(process) is not _Process or load(record, s_state) is DEAD:
            return self.by_sources(patterns, {})
        while load(<PyObject *>_hooks, s_received) is <PyObject *>_nothing:
            message = take_oldest(process, patterns)
            if message is _NOTHING:
                break
            if message is not _NOT_YET:
                return message
            wait(process, RECEIVING)
        ensure_stack()
        return self.by_sources(patterns, {})


def ensure_room():
    """Raise RecursionError where little of the C stack is left."""
    ensure_stack()


def skip_frames(function):
    """Leave the frames of a function out of the stacks of processes that wait."""
    skip_frames_of(function.__code__)
