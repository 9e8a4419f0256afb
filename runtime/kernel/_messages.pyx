# cython: language_level=3, boundscheck=False, wraparound=False, nonecheck=True
"""The compiled form of what every message goes through: sending, casting and waking.

Each function does what the function of its name in the sources does, in the usual case, and hands every other case to
that one before it has changed anything. `receive` is not among them: where compiled code returns, the handler of a
signal may run, and an exception of its own would lose the message that was just taken. The records stay the classes of
the sources: their slots are read and written where these classes keep them. No Python code runs in the middle of a
change, so no signal finds one half done.
"""

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
    """
    Py_ssize_t slot_of(object)
    PyObject *load(PyObject *, Py_ssize_t)
    void store(PyObject *, Py_ssize_t, PyObject *)
    int import_greenlet() except -1
    object current_greenlet()
    PyTypeObject PyTuple_Type

import_greenlet()

sources = {}
"""The functions of the sources, by name."""

cdef set _atomic = ATOMIC
cdef tuple _nothing = ()
cdef PyTypeObject *_deque = <PyTypeObject *>deque
cdef object _append = deque.append

cdef bint _is_usable = False
cdef bint _has_looked = False
cdef PyTypeObject *_Process = NULL
cdef PyTypeObject *_Worker = NULL
cdef PyTypeObject *_Pid = NULL
cdef PyTypeObject *_Scheduler = NULL
cdef object _keep = None
cdef object _hooks = None
cdef object _source_send, _source_put, _source_wake, _source_cast
cdef object _CAST = None
cdef object _RUNNABLE_, _RECEIVING_, _DEAD_
cdef PyObject *RUNNABLE = NULL
cdef PyObject *RECEIVING = NULL
cdef PyObject *DEAD = NULL
cdef PyObject *FALSE = <PyObject *>False
cdef PyObject *TRUE = <PyObject *>True

cdef Py_ssize_t s_node, s_state, s_mailbox, s_slowly, s_in, s_out
cdef Py_ssize_t s_process, s_pid_process, s_ready, s_scheduled, s_sent


cdef bint look() except -1:
    """Find the classes of the sources and their slots, once. They are all there when the first function is called."""
    global _is_usable, _has_looked, _Process, _Worker, _Pid, _Scheduler, _keep, _hooks
    global _source_send, _source_put, _source_wake, _source_cast
    global _RUNNABLE_, _RECEIVING_, _DEAD_
    global RUNNABLE, RECEIVING, DEAD
    global s_node, s_state, s_mailbox, s_slowly, s_in, s_out
    global s_process, s_pid_process, s_ready, s_scheduled, s_sent
    from runtime.kernel import instrument, process, scheduler

    _source_send = sources["send"]
    _source_put, _source_wake = sources["put"], sources["wake"]
    _RUNNABLE_ = process.RUNNABLE
    _RECEIVING_, _DEAD_ = process.RECEIVING, process.DEAD
    RUNNABLE = <PyObject *>_RUNNABLE_
    RECEIVING, DEAD = <PyObject *>_RECEIVING_, <PyObject *>_DEAD_
    _hooks = instrument.hooks
    _keep = (process.Process, process.Worker, process.Pid, scheduler.Scheduler, instrument.Hooks)
    _Process, _Worker = <PyTypeObject *>process.Process, <PyTypeObject *>process.Worker
    _Pid, _Scheduler = <PyTypeObject *>process.Pid, <PyTypeObject *>scheduler.Scheduler
    cdef dict members = vars_of(process.Process)
    s_node, s_state = slot_of(members["node"]), slot_of(members["state"])
    s_mailbox = slot_of(members["mailbox"])
    s_slowly = slot_of(members["wakes_slowly"])
    s_in, s_out = slot_of(members["messages_in"]), slot_of(members["messages_out"])
    from runtime.kernel.process import worker_slot
    s_process = slot_of(worker_slot)
    s_pid_process = slot_of(vars_of(process.Pid)["process"])
    members = vars_of(scheduler.Scheduler)
    s_ready = slot_of(members["ready"])
    s_scheduled = slot_of(members["scheduled"])
    members = vars_of(instrument.Hooks)
    s_sent = slot_of(members["sent"])
    _is_usable = min(
        s_node, s_state, s_mailbox, s_slowly, s_in, s_out,
        s_process, s_pid_process, s_ready, s_scheduled, s_sent,
    ) > 0
    _has_looked = True
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


cdef bint deliver(object dest, object message, object tag) except -1:
    """Send a message, below a tag if there is one. Returns False, with nothing done, in a case that is not the usual."""
    if Py_TYPE(dest) is not _Pid:
        return False
    cdef object worker = current_greenlet()
    if Py_TYPE(worker) is not _Worker:
        return False
    cdef object sender = <object>load(<PyObject *>worker, s_process)
    cdef object target = <object>load(<PyObject *>dest, s_pid_process)
    if Py_TYPE(sender) is not _Process:
        return False
    if target is None or load(<PyObject *>sender, s_state) is DEAD:
        return True
    if Py_TYPE(target) is not _Process:
        return False
    cdef object content = message if PySet_Contains(_atomic, <object>Py_TYPE(message)) else isolate(message)
    if tag is not None:
        content = (tag, content)
    if load(<PyObject *>target, s_state) is RECEIVING:
        wake_up(target)
    count_up(<PyObject *>sender, s_out)
    put_in(target, content)
    return True


def send(dest, message):
    if usable() and load(<PyObject *>_hooks, s_sent) is <PyObject *>_nothing and deliver(dest, message, None):
        return message
    return _source_send(dest, message)


def cast(dest, message):
    global _source_cast, _CAST
    if _source_cast is None:
        from runtime.otp.calls import CAST  # servers look for this very object

        _source_cast, _CAST = sources["cast"], CAST
    if not (usable() and load(<PyObject *>_hooks, s_sent) is <PyObject *>_nothing and deliver(dest, message, _CAST)):
        _source_cast(dest, message)
