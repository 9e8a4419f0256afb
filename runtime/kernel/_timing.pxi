"""The compiled form of timers that programs set: `send_after` and `cancel_timer`, with those that are due later."""

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030C0000
    #define LEVELS_LEFT(thread) ((thread)->py_recursion_remaining)
    #else
    #define LEVELS_LEFT(thread) ((thread)->recursion_remaining)
    #endif
    static inline int has_room(int levels) { return LEVELS_LEFT(PyThreadState_Get()) > levels; }
    """
    bint has_room(int)

cdef enum:
    LEVELS = 60  # more than `ensure_headroom` asks for

cdef double FARTHEST = 1e9


cdef object timers_of_caller():
    """Return the timers of the node, None where the caller is not the usual one or has no room on its stack."""
    cdef object worker = current_greenlet(), caller, node, timers
    if not usable() or Py_TYPE(worker) is not _Worker or not has_room(LEVELS):
        return None
    caller = <object>load(<PyObject *>worker, s_process)
    if Py_TYPE(caller) is not _Process or load(<PyObject *>caller, s_state) is DEAD:
        return None
    node = <object>load(<PyObject *>caller, s_node)
    if Py_TYPE(node) is not _Node:
        return None
    timers = <object>load(<PyObject *>node, s_timers)
    if Py_TYPE(timers) is not _Timers or load(<PyObject *>timers, s_now) is not <PyObject *>_real_clock:
        return None
    return timers


cdef object new_timer(object ref, object due, object dest, object message):
    cdef object timer = made(_Timer)
    fill(<PyObject *>timer, s_timer_ref, <PyObject *>ref)
    fill(<PyObject *>timer, s_timer_due, <PyObject *>due)
    fill(<PyObject *>timer, s_timer_dest, <PyObject *>dest)
    fill(<PyObject *>timer, s_timer_message, <PyObject *>message)
    fill(<PyObject *>timer, s_timer_sent, FALSE)
    return timer


cdef bint is_tidy(object timers) except -1:
    """Whether a new entry needs no sweep before."""
    cdef Py_ssize_t slots = len(<object>load(<PyObject *>timers, s_slots))
    cdef Py_ssize_t entries = <object>load(<PyObject *>timers, s_entries)
    cdef Py_ssize_t stale = <object>load(<PyObject *>timers, s_stale)
    return not ((slots > MANY and slots > 2 * entries) or (stale > MANY and stale * 2 > entries))


cdef int set_timer(object timers, object target, object dest, object message, double seconds, object ref) except -1:
    """`Timers.start` of one that is for the pid of a process of this node."""
    cdef double moment = monotonic_time() + seconds
    cdef object due = moment, number = <object>load(<PyObject *>ref, s_ref_id)
    cdef object timer = new_timer(ref, due, dest, message), own, place, pending
    cdef object entry = (due, number, timer)
    cdef PyObject *found = NULL
    own = target.timers
    if own is None:
        own = {}
        if target.timers is None:  # no finalizer has set one meanwhile
            target.timers = own
        own = target.timers
        store(<PyObject *>target, s_cleanup, TRUE)
    # From here on nothing is made that the collector looks at: a finalizer might sweep out what is not pending yet.
    if seconds * SLOTS >= 1 and is_tidy(timers):
        place = <long long>(moment * SLOTS)
        found = PyDict_GetItem(<object>load(<PyObject *>timers, s_later), place)
    if found is NULL:
        timers._push(due, seconds, number, timer)
    else:
        count_up(<PyObject *>timers, s_entries)
        (<dict><object>found)[number] = entry  # stale until it is pending
    pending = <object>load(<PyObject *>timers, s_pending)
    pending[number] = timer  # a test notes the place of each: no dict of the plain kind
    (<dict>own)[number] = timer
    return 0


def send_after(dest, message, seconds):
    cdef object timers = None, ref, content, target
    if usable() and Py_TYPE(dest) is _Pid and Py_TYPE(seconds) is &PyFloat_Type and 0 <= <double>seconds < FARTHEST:
        timers = timers_of_caller()
    if timers is None:
        ensure_stack()
        return sources["send_after"](dest, message, seconds)
    ref = new_ref(_TimerRef)
    content = message if is_atomic(message) else isolate(message)
    target = <object>load(<PyObject *>dest, s_pid_process)
    if Py_TYPE(target) is _Process:
        set_timer(timers, target, dest, content, <double>seconds, ref)
    else:
        timers.start(dest, content, seconds, ref)
    return ref


def cancel_timer(ref):
    cdef object timers = None, number, pending, timer, dest, target, own, entries, due, place
    cdef PyObject *found
    if usable() and Py_TYPE(ref) is _TimerRef:
        timers = timers_of_caller()
    if timers is None:
        return sources["cancel_timer"](ref)
    number, pending = <object>load(<PyObject *>ref, s_ref_id), <object>load(<PyObject *>timers, s_pending)
    found = PyDict_GetItem(pending, number)
    if found is NULL:
        return None
    timer = <object>found
    if Py_TYPE(timer) is not _Timer:
        return timers.cancel(ref)
    dest, due = <object>load(<PyObject *>timer, s_timer_dest), <object>load(<PyObject *>timer, s_timer_due)
    target = <object>load(<PyObject *>dest, s_pid_process) if Py_TYPE(dest) is _Pid else None
    if Py_TYPE(target) is not _Process or Py_TYPE(due) is not &PyFloat_Type or not <double>due < FARTHEST * 10:
        return timers.cancel(ref)
    own = target.timers
    PyDict_DelItem(pending, number)
    if own is not None and PyDict_Contains(own, number):
        PyDict_DelItem(own, number)
    if load(<PyObject *>timer, s_timer_sent) is not FALSE:
        return None
    place = <long long>(<double>due * SLOTS)
    found = PyDict_GetItem(<object>load(<PyObject *>timers, s_later), place)
    entries = None if found is NULL else <object>found
    if entries is not None and PyDict_Contains(entries, number):
        PyDict_DelItem(entries, number)
        left = <object>load(<PyObject *>timers, s_entries) - 1
        store(<PyObject *>timers, s_entries, <PyObject *>left)
    else:
        timers._take_out(timer)
    return max(0.0, <double>due - monotonic_time())
