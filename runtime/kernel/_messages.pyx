# cython: language_level=3, boundscheck=False, wraparound=False, nonecheck=True
"""The compiled form of what every message goes through: sending, receiving, waiting and waking.

Each function does what the function of its name in the sources does, in the usual case, and hands every other case to
that one before it has changed anything. The records stay the classes of the sources: their slots are read and written
where these classes keep them. Nothing of Python's runs in the middle of a change, so no signal finds one half done.
"""

from cpython.long cimport PyLong_AsLong
from cpython.object cimport Py_TYPE, PyObject, PyTypeObject
from cpython.set cimport PySet_Contains

from collections import deque

from runtime.terms._isolation import isolate
from runtime.terms.immutable import ATOMIC

cdef extern from *:
    """
    #include "greenlet.h"
    #include "structmember.h"

    /* Return where a class keeps a slot, or -1 for what is no slot that holds an object. */
    static Py_ssize_t slot_of(PyObject *member) {
        PyMemberDef *place;
        if (!Py_IS_TYPE(member, &PyMemberDescr_Type)) return -1;
        place = ((PyMemberDescrObject *)member)->d_member;
        return place->type == T_OBJECT_EX ? place->offset : -1;
    }
    static inline PyObject *load(PyObject *record, Py_ssize_t slot) {
        return *(PyObject **)((char *)record + slot);
    }
    static inline void store(PyObject *record, Py_ssize_t slot, PyObject *value) {
        PyObject **place = (PyObject **)((char *)record + slot);
        PyObject *before = *place;
        Py_INCREF(value);
        *place = value;
        Py_XDECREF(before);
    }
    static int import_greenlet(void) {
        PyGreenlet_Import();
        return _PyGreenlet_API == NULL ? -1 : 0;
    }
    static PyObject *current_greenlet(void) {
        return (PyObject *)PyGreenlet_GetCurrent();
    }
    static PyObject *switch_to(PyObject *target, PyObject *arguments) {
        return PyGreenlet_Switch((PyGreenlet *)target, arguments, NULL);
    }
    """
    Py_ssize_t slot_of(object)
    PyObject *load(PyObject *, Py_ssize_t)
    void store(PyObject *, Py_ssize_t, PyObject *)
    int import_greenlet() except -1
    object current_greenlet()
    object switch_to(object, object)
    PyTypeObject PyTuple_Type

import_greenlet()

sources = {}
"""The functions of the sources, by name."""

cdef object _NOT_GIVEN = object()
cdef set _atomic = ATOMIC
cdef tuple _nothing = ()
cdef PyTypeObject *_deque = <PyTypeObject *>deque
cdef object _append = deque.append
cdef object _popleft = deque.popleft

cdef bint _is_usable = False
cdef bint _has_looked = False
cdef PyTypeObject *_Process = NULL
cdef PyTypeObject *_Worker = NULL
cdef PyTypeObject *_Pid = NULL
cdef PyTypeObject *_Scheduler = NULL
cdef object _keep = None
cdef object _hooks = None
cdef object _source_send, _source_receive, _source_put, _source_wake, _source_park, _source_cast
cdef object _receive_matching, _matching, _raise, _CAST
cdef object _RUNNABLE_, _RUNNING_, _RECEIVING_, _DEAD_
cdef PyObject *RUNNABLE = NULL
cdef PyObject *RUNNING = NULL
cdef PyObject *RECEIVING = NULL
cdef PyObject *DEAD = NULL
cdef PyObject *NONE = <PyObject *>None
cdef PyObject *FALSE = <PyObject *>False
cdef PyObject *TRUE = <PyObject *>True

cdef Py_ssize_t s_node, s_state, s_worker, s_mailbox, s_saved, s_slowly, s_in, s_out, s_reductions
cdef Py_ssize_t s_process, s_pid_process, s_ready, s_idle, s_budget, s_scheduled, s_hub, s_sent, s_received


cdef bint look() except -1:
    """Find the classes of the sources and their slots, once. They are all there when the first function is called."""
    global _is_usable, _has_looked, _Process, _Worker, _Pid, _Scheduler, _keep, _hooks
    global _source_send, _source_receive, _source_put, _source_wake, _source_park, _source_cast
    global _receive_matching, _matching, _raise, _RUNNABLE_, _RUNNING_, _RECEIVING_, _DEAD_
    global RUNNABLE, RUNNING, RECEIVING, DEAD
    global s_node, s_state, s_worker, s_mailbox, s_saved, s_slowly, s_in, s_out, s_reductions
    global s_process, s_pid_process, s_ready, s_idle, s_budget, s_scheduled, s_hub, s_sent, s_received
    from runtime.kernel import instrument, mailbox, process, scheduler
    from runtime.terms.pattern import matching

    _has_looked = True
    _source_send, _source_receive = sources["send"], sources["receive"]
    _source_put, _source_wake, _source_park = sources["put"], sources["wake"], sources["park"]
    _receive_matching, _matching, _raise = mailbox.receive_matching, matching, mailbox._RAISE
    _RUNNABLE_, _RUNNING_ = process.RUNNABLE, process.RUNNING
    _RECEIVING_, _DEAD_ = process.RECEIVING, process.DEAD
    RUNNABLE, RUNNING = <PyObject *>_RUNNABLE_, <PyObject *>_RUNNING_
    RECEIVING, DEAD = <PyObject *>_RECEIVING_, <PyObject *>_DEAD_
    _hooks = instrument.hooks
    _keep = (process.Process, process.Worker, process.Pid, scheduler.Scheduler, instrument.Hooks)
    _Process, _Worker = <PyTypeObject *>process.Process, <PyTypeObject *>process.Worker
    _Pid, _Scheduler = <PyTypeObject *>process.Pid, <PyTypeObject *>scheduler.Scheduler
    cdef dict members = vars_of(process.Process)
    s_node, s_state, s_worker = slot_of(members["node"]), slot_of(members["state"]), slot_of(members["worker"])
    s_mailbox, s_saved = slot_of(members["mailbox"]), slot_of(members["saved"])
    s_slowly, s_reductions = slot_of(members["wakes_slowly"]), slot_of(members["reductions"])
    s_in, s_out = slot_of(members["messages_in"]), slot_of(members["messages_out"])
    from runtime.kernel.process import worker_slot
    s_process = slot_of(worker_slot)
    s_pid_process = slot_of(vars_of(process.Pid)["process"])
    members = vars_of(scheduler.Scheduler)
    s_ready, s_idle, s_budget = slot_of(members["ready"]), slot_of(members["idle"]), slot_of(members["budget"])
    s_scheduled, s_hub = slot_of(members["scheduled"]), slot_of(members["hub"])
    members = vars_of(instrument.Hooks)
    s_sent, s_received = slot_of(members["sent"]), slot_of(members["received"])
    _is_usable = min(
        s_node, s_state, s_worker, s_mailbox, s_saved, s_slowly, s_reductions, s_in, s_out,
        s_process, s_pid_process, s_ready, s_idle, s_budget, s_scheduled, s_hub, s_sent, s_received,
    ) > 0
    return _is_usable


cdef dict vars_of(kind):
    return dict(vars(kind))


cdef inline bint usable() except -1:
    return _is_usable if _has_looked else look()


cdef inline int count_up(PyObject *record, Py_ssize_t slot) except -1:
    cdef object number = <object>load(record, slot) + 1
    store(record, slot, <PyObject *>number)
    return 0


cdef int wake_up(object process) except -1:
    """`Scheduler.wake` of a process that is known to be one."""
    cdef PyObject *record = <PyObject *>process
    cdef object scheduler = (<object>load(record, s_node)).scheduler
    if load(record, s_slowly) is not FALSE or Py_TYPE(scheduler) is not _Scheduler:
        _source_wake(scheduler, process)
        return 0
    if load(<PyObject *>scheduler, s_scheduled) is not TRUE:
        scheduler.schedule()
    cdef object ready = <object>load(<PyObject *>scheduler, s_ready)
    if Py_TYPE(ready) is _deque:
        _append(ready, process)
    else:
        ready.append(process)
    store(record, s_state, RUNNABLE)
    return 0


cdef int put_in(object process, object message) except -1:
    """The last half of `put`: the message into the mailbox."""
    cdef PyObject *record = <PyObject *>process
    cdef object mailbox, new
    count_up(record, s_in)
    mailbox = <object>load(record, s_mailbox)
    if mailbox is None:
        new = (message,)
        store(record, s_mailbox, <PyObject *>new)
    elif Py_TYPE(mailbox) is &PyTuple_Type:
        new = deque((*mailbox, message))
        store(record, s_mailbox, <PyObject *>new)
    elif Py_TYPE(mailbox) is _deque:
        _append(mailbox, message)
    else:
        mailbox.append(message)
    return 0


def put(process, message):
    if not usable() or Py_TYPE(process) is not _Process:
        return _source_put(process, message)
    if load(<PyObject *>process, s_state) is RECEIVING:
        wake_up(process)
    put_in(process, message)


def wake(scheduler, process):
    if not usable() or Py_TYPE(scheduler) is not _Scheduler or Py_TYPE(process) is not _Process:
        return _source_wake(scheduler, process)
    wake_up(process)


def send(dest, message):
    if not usable() or Py_TYPE(dest) is not _Pid or load(<PyObject *>_hooks, s_sent) is not <PyObject *>_nothing:
        return _source_send(dest, message)
    cdef object worker = current_greenlet()
    if Py_TYPE(worker) is not _Worker:
        return _source_send(dest, message)
    cdef object sender = <object>load(<PyObject *>worker, s_process)
    cdef object target = <object>load(<PyObject *>dest, s_pid_process)
    if Py_TYPE(sender) is not _Process:
        return _source_send(dest, message)
    if target is None or load(<PyObject *>sender, s_state) is DEAD:
        return message
    if Py_TYPE(target) is not _Process:
        return _source_send(dest, message)
    cdef object isolated = message if PySet_Contains(_atomic, <object>Py_TYPE(message)) else isolate(message)
    if load(<PyObject *>target, s_state) is RECEIVING:
        wake_up(target)
    count_up(<PyObject *>sender, s_out)
    put_in(target, isolated)
    return message


def receive(*patterns, timeout=None, default=_NOT_GIVEN):
    if default is _NOT_GIVEN:
        usable()
        default = _raise
    if not usable() or load(<PyObject *>_hooks, s_received) is not <PyObject *>_nothing:
        return _source_receive(*patterns, timeout=timeout, default=default)
    cdef object worker = current_greenlet()
    if Py_TYPE(worker) is not _Worker:
        return _source_receive(*patterns, timeout=timeout, default=default)
    cdef object process = <object>load(<PyObject *>worker, s_process)
    if Py_TYPE(process) is not _Process or load(<PyObject *>process, s_state) is DEAD:
        return _source_receive(*patterns, timeout=timeout, default=default)
    if patterns or timeout is not None:
        return _receive_matching(process, _matching(patterns) if patterns else None, timeout, default)
    cdef PyObject *record = <PyObject *>process
    cdef object mailbox, message
    while True:
        mailbox = <object>load(record, s_mailbox)
        if load(record, s_saved) is not NONE or load(<PyObject *>_hooks, s_received) is not <PyObject *>_nothing:
            return _source_receive()
        if mailbox is None:
            pass
        elif Py_TYPE(mailbox) is &PyTuple_Type:
            message = (<tuple>mailbox)[0]
            store(record, s_mailbox, NONE)
            return message
        elif Py_TYPE(mailbox) is not _deque:
            return _source_receive()
        elif len(mailbox):
            return _popleft(mailbox)
        park((<object>load(record, s_node)).scheduler, process, _RECEIVING_)


def park(scheduler, process, state):
    if not usable() or Py_TYPE(scheduler) is not _Scheduler or Py_TYPE(process) is not _Process:
        return _source_park(scheduler, process, state)
    cdef PyObject *own = <PyObject *>scheduler
    cdef PyObject *record = <PyObject *>process
    cdef object following = None
    cdef object ready, other, idle, budget
    cdef long left
    try:
        store(record, s_state, <PyObject *>state)
        left = PyLong_AsLong(<object>load(own, s_budget)) - 1
        budget = left
        store(own, s_budget, <PyObject *>budget)
        if left > 0 or scheduler.more_time():
            while True:
                ready = <object>load(own, s_ready)
                if not len(ready):
                    following = process
                    switch_to(<object>load(own, s_hub), _nothing)
                    break
                following = _popleft(ready) if Py_TYPE(ready) is _deque else ready.popleft()
                if load(<PyObject *>following, s_state) is not RUNNABLE:
                    following = None  # it died in the queue
                    continue
                other = <object>load(<PyObject *>following, s_worker)
                if other is None:
                    idle = <object>load(own, s_idle)
                    if idle:
                        switch_to((<list>idle).pop(), (following,))
                    else:  # only the hub starts workers: a greenlet inherits the recursion depth of its starter
                        ready.appendleft(following)
                        switch_to(<object>load(own, s_hub), _nothing)
                elif following is not process:
                    switch_to(other, _nothing)
                break
        else:
            following = process
            switch_to(<object>load(own, s_hub), _nothing)
        while load(record, s_state) is not RUNNABLE:
            switch_to(<object>load(own, s_hub), _nothing)  # a stray switch from outside: nothing woke this process
        store(record, s_state, RUNNING)
        count_up(record, s_reductions)
    except BaseException:
        scheduler._stop_waiting(process, following)
        raise


def cast(dest, message):
    global _source_cast, _CAST
    if _source_cast is None:
        from runtime.otp.calls import CAST  # servers look for this very object

        _source_cast, _CAST = sources["cast"], CAST
    if not usable() or Py_TYPE(dest) is not _Pid:
        return _source_cast(dest, message)
    cdef object worker = current_greenlet()
    if Py_TYPE(worker) is not _Worker:
        return _source_cast(dest, message)
    cdef object sender = <object>load(<PyObject *>worker, s_process)
    cdef object server = <object>load(<PyObject *>dest, s_pid_process)
    if Py_TYPE(sender) is not _Process:
        return _source_cast(dest, message)
    if server is None or load(<PyObject *>sender, s_state) is DEAD:
        return None
    if Py_TYPE(server) is not _Process:
        return _source_cast(dest, message)
    cdef object isolated = message if PySet_Contains(_atomic, <object>Py_TYPE(message)) else isolate(message)
    if load(<PyObject *>server, s_state) is RECEIVING:
        wake_up(server)
    put_in(server, (_CAST, isolated))
    count_up(<PyObject *>sender, s_out)
