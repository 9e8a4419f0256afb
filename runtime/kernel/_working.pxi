"""The compiled form of the main loop of a worker: `Scheduler.dispatch`, `Scheduler.run_ready`.

What a process that waits has on its stack catches no exception: see `_scheduling.pxi`.
"""

cdef unsigned int _worker_version = 0

cdef object resume_worker = greenlet.switch
cdef object raise_in_worker = greenlet.throw

cdef class Turns  # below

cdef enum:
    MOST_ARGUMENTS = 3  # that the bottom frame of a worker gives to a function

ctypedef int (*Turn)(Turns, object, object) noexcept


def start_worker(worker, scheduler):
    """Switch to a worker that has not begun. It is given the scheduler that it works for."""
    start_apart(worker, (scheduler,))


def switch_worker(worker, *args):
    """`Worker.switch`. In a function of Python's a signal's handler would raise before the switch, which would be lost."""
    cdef object process = worker.process
    if process is None:
        return None
    if process.suspended:
        return sources["switch_worker"](worker, *args)
    return resume_worker(worker, *args)


def throw_worker(worker, *args):
    """`Worker.throw`, for the same reason."""
    return None if worker.process is None else raise_in_worker(worker, *args)


cdef inline int set_process(object worker, PyObject *process) except -1:
    """``worker.process = process``: an observer that meters the processes has a property in the place of the slot."""
    cdef unsigned int version = VERSION_OF(_Worker)
    if version == 0 or version != _worker_version:
        return set_by_attribute(worker, process)
    store(<PyObject *>worker, s_process, process)
    return 0


cdef int set_by_attribute(object worker, PyObject *process) except -1:
    global _worker_version
    worker.process = <object>process
    from runtime.kernel.process import worker_slot

    if vars(<object>_Worker)["process"] is worker_slot:
        _worker_version = VERSION_OF(_Worker)
    return 0


cdef object next_process(object scheduler, object worker, object ready):
    """Return the process that a worker is to run next, None when it is to end. It is idle until there is one."""
    cdef list idle = <list>load(<PyObject *>scheduler, s_idle)
    cdef object process = None, other
    while True:
        if process is None:
            if Py_SIZE(ready) and goes_on(scheduler):
                process = _popleft(ready)
            else:
                if PyList_GET_SIZE(idle) >= _scheduler_module.MAX_IDLE:
                    return None
                idle.append(worker)
                process = switch_to(load(<PyObject *>scheduler, s_hub), NULL) or None
                continue
        if load(<PyObject *>process, s_state) is not RUNNABLE:
            process = None
            continue
        other = <object>load(<PyObject *>process, s_worker)
        if other is None:
            return process
        idle.append(worker)
        process = switch_to(<PyObject *>other, NULL) or None


cdef int take_on(object process, object worker) except -1:
    """Put a process onto the stack of a worker."""
    cdef PyObject *record = <PyObject *>process
    store(record, s_worker, <PyObject *>worker)
    set_process(worker, record)
    store(record, s_state, RUNNING)
    count_up(record, s_reductions)
    if load(record, s_cleanup) is not FALSE and process.context is not None:
        worker.gr_context = process.context
    return 0


cdef int run_body(object process, object worker) except -1:
    """Run a process that is no plain one."""
    cdef object body = <object>load(<PyObject *>process, s_body)
    if serves(body):
        run_turns(body, process, worker)
    elif is_start(body):
        run_start(body, process, worker)
    else:
        body._run_process(process, worker)
    return 0


cdef int contain(object scheduler, object process) except -1:
    """End a process whose body has let an exception through."""
    try:
        raise_again()
    except BaseException as error:
        scheduler._contain(process, error)
    return 0


cdef bint is_used_up(object scheduler, object process, object worker) except -1:
    """Clean a worker after a process. Returns whether something may still hold a switch to it, so that it has to end."""
    if load(<PyObject *>worker, s_local_links) is not NONE or has_context():
        worker.wipe()
    if load(<PyObject *>process, s_cleanup) is not FALSE and process.interrupts:
        if scheduler.forked:
            _scheduler_module.end_child(None)
        return True
    return False


cdef int begin(Turns turns) except -1:
    """Look whether a worker can run by compiled code. Where it cannot, the sources run it, to its end."""
    scheduler, worker = turns.scheduler, turns.worker
    if usable() and Py_TYPE(scheduler) is _Scheduler and Py_TYPE(worker) is _Worker:
        if kind_of(load(<PyObject *>scheduler, s_ready)) is _deque:
            turns.ready = <object>load(<PyObject *>scheduler, s_ready)
            return 1
    scheduler.run_ready(worker)
    return 0


cdef int run_next(Turns turns, object process, object worker) except -2:
    """Begin the turn of a process. Returns the number of arguments when the bottom frame is to call it, else -1."""
    cdef PyObject *body
    cdef Py_ssize_t count
    take_on(process, worker)
    body = load(<PyObject *>process, s_body)
    if kind_of(body) is not _PlainBody or _is_tapped:
        run_body(process, worker)
        return -1
    count = Py_SIZE(<object>load(body, s_args))
    if count > MOST_ARGUMENTS or PyDict_GET_SIZE(<object>load(body, s_kwargs)):
        run_plain(process, worker)
        return -1
    turns.process = process
    return <int>count


cdef int end_turn(Turns turns, object process, object worker) except -2:
    """End a plain process whose function the bottom frame has called. Returns -1, as `run_next` after a turn."""
    cdef object reason
    turns.process = None
    if turns.reason is RETURNED:
        set_process(worker, NONE)
        end(process, "normal")
    else:
        reason, turns.reason = turns.reason, RETURNED
        if reason is not CONTAINED:
            end_with(process, worker, reason)
    return -1


cdef int advance(Turns turns) except -2:
    """Run processes until there is one that the bottom frame is to call. Returns the number of its arguments.

    -1: the worker is to end. What this calls catches nothing: it may be on the stack of a process that waits.
    """
    cdef PyObject *scheduler = <PyObject *>turns.scheduler
    cdef PyObject *worker = <PyObject *>turns.worker
    cdef object process = turns.process
    cdef int count
    if turns.ready is None and not begin(turns):
        return -1
    while True:
        if process is None:
            process = next_process(<object>scheduler, <object>worker, turns.ready)
            if process is None:
                return -1
            count = (<Turn>run_next)(turns, process, <object>worker)
            if count >= 0:
                return count
        else:
            count = (<Turn>end_turn)(turns, process, <object>worker)
        if count < -1:
            contain(<object>scheduler, process)
        if is_used_up(<object>scheduler, process, <object>worker):
            return -1
        process = None


cdef object RETURNED = object(), CONTAINED = object()
"""In the place of an exit reason, which may be anything: the function has not raised, or its process has ended."""


cdef class Turns:
    """The processes of a worker, for its bottom frame (`Scheduler.dispatch`), which calls the functions of plain ones.

    It iterates over the numbers of arguments, None for no argument. The item None is the function, the others are its
    arguments. From a frame of Python's own, Python calls a function without a frame of C's, which would be copied with
    the stack of each process that waits. All are items and no calls: after a call Python runs the handlers of signals,
    and an exception of theirs would lose the process.
    """

    cdef object scheduler, worker, ready, process, reason

    def __init__(self, scheduler, worker):
        self.scheduler, self.worker, self.reason = scheduler, worker, RETURNED

    def __iter__(self):
        return self

    def __next__(self):
        cdef int count = advance(self)
        if count < 0:
            raise StopIteration
        return None if count == 0 else count

    def __getitem__(self, object key):
        cdef PyObject *body
        if isinstance(key, BaseException):
            return note_exception(self, key)
        body = load(<PyObject *>self.process, s_body)
        return <object>load(body, s_function) if key is None else (<tuple>load(body, s_args))[<Py_ssize_t>key]

    def close(self):
        """End the worker, as `run_ready` of the sources does: it may have taken a process from the queue."""
        self.scheduler.may_have_lost = True
        if self.worker in self.scheduler.idle:
            self.scheduler.idle.remove(self.worker)


cdef object note_exception(Turns turns, object error):
    """Note why the process ends whose function has raised. Raises again what no process has raised."""
    if turns.process is None:
        raise error
    try:
        turns.reason = _body_module.exit_reason(turns.process, error)
    except BaseException as another:
        turns.reason = CONTAINED
        turns.scheduler._contain(turns.process, another)
