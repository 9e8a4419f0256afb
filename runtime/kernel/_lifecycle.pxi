"""The compiled form of the life of a process: `Node.spawn`, `spawn`, the run of a plain body, and the usual end."""

from cpython.dict cimport PyDict_Contains, PyDict_DelItem, PyDict_GetItem, PyDict_Values

cdef extern from *:
    """
    #include <time.h>

    static inline int run_function(PyObject *function, PyObject *args, PyObject *kwargs) {
        PyObject *result = PyObject_Call(function, args, PyDict_GET_SIZE(kwargs) ? kwargs : NULL);
        if (result == NULL) return -1;
        Py_DECREF(result);
        return 0;
    }
    static inline double clock_time(clockid_t clock) {
        struct timespec now;
        clock_gettime(clock, &now);
        return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
    }
    static inline double wall_time(void) { return clock_time(CLOCK_REALTIME); }
    #ifdef __APPLE__  /* whose monotonic clock is another one than Python's */
    static inline double monotonic_time(void) { return (double)clock_gettime_nsec_np(CLOCK_UPTIME_RAW) * 1e-9; }
    #else
    static inline double monotonic_time(void) { return clock_time(CLOCK_MONOTONIC); }
    #endif
    """
    Py_ssize_t PyDict_GET_SIZE(object)
    int run_function(object, object, object) noexcept  # -1: it has raised
    double wall_time()
    double monotonic_time()
    bint PyCallable_Check(object)


cdef inline object new_pid(object number, object process):
    cdef object pid = made(_Pid)
    fill(<PyObject *>pid, s_pid_id, <PyObject *>number)
    fill(<PyObject *>pid, s_pid_process, <PyObject *>process)
    return pid


cdef inline object new_body(object function, object args, object kwargs):
    cdef object body = made(_PlainBody)
    fill(<PyObject *>body, s_function, <PyObject *>function)
    fill(<PyObject *>body, s_args, <PyObject *>args)
    fill(<PyObject *>body, s_kwargs, <PyObject *>kwargs)
    return body


cdef object start_process(object node, object parent, object body):
    """`Node.spawn` on a node that is known to be one, and whose scheduler is."""
    if load(<PyObject *>_hooks, s_spawned_hooks) is not <PyObject *>_nothing:
        ensure_stack()
    cdef object process = made(_Process)
    cdef PyObject *record = <PyObject *>process
    fill_like(record, <PyObject *>_template, _first_slot, _slot_count)
    cdef object number = <object>load(<PyObject *>node, s_spawned) + 1
    cdef object pid = new_pid(number, process), started_at = wall_time()
    store(record, s_node, <PyObject *>node)
    store(record, s_body, <PyObject *>body)
    if Py_TYPE(parent) is _Process:
        store(record, s_parent, load(<PyObject *>parent, s_pid))
    elif parent is not None:
        pid_of_parent = parent.pid
        store(record, s_parent, <PyObject *>pid_of_parent)
    store(record, s_started_at, <PyObject *>started_at)
    store(record, s_pid, <PyObject *>pid)
    cdef object place = <long long>number // BLOCK, scheduler, ready
    cdef PyObject *block = PyDict_GetItem(<object>load(<PyObject *>node, s_table), place)
    cdef object entries = node._open_block(place) if block is NULL else <object>block
    scheduler = <object>load(<PyObject *>node, s_scheduler)
    if load(<PyObject *>scheduler, s_scheduled) is not TRUE:
        scheduler.schedule()
    ready = <object>load(<PyObject *>scheduler, s_ready)
    if Py_TYPE(ready) is _deque:
        _append(ready, process)
    else:
        ready.append(process)
    while <object>load(<PyObject *>node, s_spawned) >= number:  # a finalizer has started one in between
        number = <object>load(<PyObject *>node, s_spawned) + 1
        pid = new_pid(number, process)
        store(record, s_pid, <PyObject *>pid)
        entries = node.table.get(<long long>number // BLOCK) or node._open_block(<long long>number // BLOCK)
        ready.append(process)
    store(<PyObject *>node, s_spawned, <PyObject *>number)
    (<dict>entries)[number] = process
    store(record, s_state, RUNNABLE)
    if load(<PyObject *>_hooks, s_spawned_hooks) is not <PyObject *>_nothing:
        for hook in _hooks.spawned:
            hook(process)
    return process


cdef inline bint is_node(object node):
    return Py_TYPE(node) is _Node and Py_TYPE(<object>load(<PyObject *>node, s_scheduler)) is _Scheduler


def spawn_process(node, parent, body):
    if not usable() or not is_node(node):
        return sources["spawn_process"](node, parent, body)
    return start_process(node, parent, body)


def spawn(fn, *args, name=None, label=None, node=None, **kwargs):
    cdef object worker = current_greenlet(), parent, home
    if name is None and label is None and node is None and usable():
        if Py_TYPE(worker) is _Worker and PyCallable_Check(fn):
            parent = <object>load(<PyObject *>worker, s_process)
            if Py_TYPE(parent) is _Process and load(<PyObject *>parent, s_state) is not DEAD:
                home = <object>load(<PyObject *>parent, s_node)
                if is_node(home):
                    process = start_process(home, parent, new_body(fn, args, kwargs))
                    return <object>load(<PyObject *>process, s_pid)
    ensure_stack()
    return sources["spawn"](fn, *args, name=name, label=label, node=node, **kwargs)


cdef int run_plain(object process, object worker) except -1:
    """`PlainBody._run_process`. It may be on the stack of a process that waits, so it catches nothing itself."""
    cdef object body = <object>load(<PyObject *>process, s_body), reason = "normal"
    if (
        run_function(
            <object>load(<PyObject *>body, s_function),
            <object>load(<PyObject *>body, s_args),
            <object>load(<PyObject *>body, s_kwargs),
        )
        < 0
    ):
        reason = reason_of_exception(process)
    return end_with(process, worker, reason)


cdef object reason_of_exception(object process):
    """Return the exit reason of a process whose function has raised."""
    try:
        raise_again()
    except BaseException as error:
        return _body_module.exit_reason(process, error)


cdef int end_with(object process, object worker, object reason) except -1:
    """End a plain process whose function is over."""
    if Py_TYPE(reason) is _Crash and load(<PyObject *>process, s_state) is not DEAD:
        # not before the exception is let go of: its frames may hold all the memory there is
        _body_module.process_crashed(process, reason)
    set_process(worker, NONE)
    return end(process, reason)


cdef int end(object process, object reason) except -1:
    """`finish` of a process whose frames are over."""
    cdef PyObject *record = <PyObject *>process
    cdef object node = <object>load(record, s_node)
    if (
        load(record, s_state) is DEAD
        or load(record, s_cleanup) is not FALSE
        or load(record, s_name) is not NONE
        or load(record, s_timer_at) is not NONE
        or load(record, s_waiting_for) is not NONE
        or Py_TYPE(node) is not _Node
    ):
        sources["finish"](process, reason)
        return 0
    cdef object pid, number, block
    # Held to the end: the finalizer of a message may wait.
    cdef object mailbox = <object>load(record, s_mailbox), saved = <object>load(record, s_saved)
    try:
        store(record, s_state, DEAD)
        store(record, s_reason, <PyObject *>reason)
        pid = <object>load(record, s_pid)
        number = <object>load(<PyObject *>pid, s_pid_id)
        block = (<dict>load(<PyObject *>node, s_table))[<long long>number // BLOCK]
        take_out(block, number)
        store(<PyObject *>pid, s_pid_process, NONE)
        store(record, s_mailbox, NONE)
        store(record, s_saved, NONE)
        store(record, s_worker, NONE)
        if (
            load(record, s_watchers) is not NONE
            or load(record, s_monitors) is not NONE
            or load(<PyObject *>_hooks, s_exited) is not <PyObject *>_nothing
            or <object>load(record, s_links)
        ):
            announce_death(process, node)
        store(record, s_body, NONE)
        if load(record, s_cleanup) is not FALSE:
            process.dictionary = process.context = None
    except BaseException:
        node.half_dead[process] = reason  # the hub does it again
        node.scheduler.budget, node.scheduler.batch_ends = 0, 0.0
        raise
    return 0
