"""The compiled form of what every message goes through: sending, casting and waking.

Each function does what the function of its name in the sources does, in the usual case, and hands every other case to
that one before it has changed anything. `receive` is not among them: where compiled code returns, the handler of a
signal may run, and an exception of its own would lose the message that was just taken.
"""

cdef object _CAST = None


def put(process, message):
    if not usable() or Py_TYPE(process) is not _Process:
        return sources["put"](process, message)
    if load(<PyObject *>process, s_state) is RECEIVING:
        wake_up(process)
    put_in(process, message)


def wake(scheduler, process):
    if not usable() or Py_TYPE(scheduler) is not _Scheduler or Py_TYPE(process) is not _Process:
        return sources["wake"](scheduler, process)
    wake_up(process)


cdef bint deliver(object dest, object message, object tag) except -1:
    """Send a message, below a tag if there is one. Returns False, with nothing done, in a case that is not the usual."""
    cdef PyObject *worker = running_greenlet()
    if Py_TYPE(dest) is not _Pid or worker is NULL or kind_of(worker) is not _Worker:
        return False
    if load(<PyObject *>_hooks, s_sent) is not <PyObject *>_nothing:
        return False
    cdef object sender = <object>load(worker, s_process)
    cdef object target = <object>load(<PyObject *>dest, s_pid_process)
    if Py_TYPE(sender) is not _Process:
        return False
    if target is None or load(<PyObject *>sender, s_state) is DEAD:
        return True
    if Py_TYPE(target) is not _Process:
        return False
    cdef object content = message if is_atomic(message) else isolate(message)
    if tag is not None:
        content = (tag, content)
    if load(<PyObject *>target, s_state) is RECEIVING:
        wake_up(target)
    count_up(<PyObject *>sender, s_out)
    put_in(target, content)
    return True


def send(dest, message):
    if usable() and (to_other_node(dest, message, False) if Py_TYPE(dest) is not _Pid else deliver(dest, message, None)):
        return message
    ensure_stack()
    return sources["send"](dest, message)


cdef bint to_other_node(object dest, object message, bint is_cast) except -1:
    """Send or cast to another node. Returns False, with nothing done, in a case that is not the usual."""
    if Py_TYPE(dest) is not &PyTuple_Type and (is_cast or Py_TYPE(dest) is &PyUnicode_Type):
        return False
    if load(<PyObject *>_hooks, s_sent) is not <PyObject *>_nothing:
        return False
    ensure_stack()  # what is sent is taken apart by code of the program's
    cdef object worker = current_greenlet()
    if Py_TYPE(worker) is not _Worker:
        return False
    cdef object sender = <object>load(<PyObject *>worker, s_process)
    if Py_TYPE(sender) is not _Process or load(<PyObject *>sender, s_state) is DEAD:
        return False
    cdef object cluster = (<object>load(<PyObject *>sender, s_node)).cluster
    if cluster is None or not (cluster.cast(dest, message) if is_cast else cluster.send(dest, message)):
        return False
    count_up(<PyObject *>sender, s_out)
    return True


def cast(dest, message):
    global _CAST
    if _CAST is None:
        from runtime.otp.calls import CAST  # servers look for this very object

        _CAST = CAST
    if not usable() or not (to_other_node(dest, message, True) if Py_TYPE(dest) is not _Pid else deliver(dest, message, _CAST)):
        ensure_stack()
        sources["cast"](dest, message)
