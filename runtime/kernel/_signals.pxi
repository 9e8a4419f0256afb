"""The compiled form of how a death reaches others: `finish`, `tell`, `spread`, `exit_signal`, `watch`, `spawn_monitor`.

Code of the program's runs where a reason is copied, and nowhere else. What an exception leaves half done there, the hub
does again by the sources, as it does for them.
"""

cdef extern from *:
    """
    /* Python's collector need not look at a record of which no part refers to another object that it looks at. A
       hundred thousand of them may be in mailboxes at a time. */
    static inline void spare(PyObject *record) {
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(record); i++)
            if (PyObject_IS_GC(PyTuple_GET_ITEM(record, i))) return;
        PyObject_GC_UnTrack(record);
    }
    static inline PyObject *three(PyTypeObject *kind, PyObject *one, PyObject *two, PyObject *other) {
        PyObject *result = kind->tp_alloc(kind, 3);
        if (result == NULL) return NULL;
        Py_INCREF(one), Py_INCREF(two), Py_INCREF(other);
        PyTuple_SET_ITEM(result, 0, one);
        PyTuple_SET_ITEM(result, 1, two);
        PyTuple_SET_ITEM(result, 2, other);
        spare(result);
        return result;
    }
    static inline PyObject *first_of(PyObject *dict) {
        Py_ssize_t place = 0;
        PyObject *value = NULL;
        PyDict_Next(dict, &place, NULL, &value);
        Py_XINCREF(value);
        return value;
    }
    static inline PyObject *two(PyTypeObject *kind, PyObject *one, PyObject *other) {
        PyObject *result = kind->tp_alloc(kind, 2);
        if (result == NULL) return NULL;
        Py_INCREF(one), Py_INCREF(other);
        PyTuple_SET_ITEM(result, 0, one);
        PyTuple_SET_ITEM(result, 1, other);
        spare(result);
        return result;
    }
    """
    object three(PyTypeObject *, object, object, object)
    object two(PyTypeObject *, object, object)
    object first_of(object)


# -- Monitors -------------------------------------------------------------------------------------------------------


cdef inline object new_ref(PyTypeObject *kind):
    """Return the next reference, of a kind that has no fields of its own."""
    cdef object ref = made(kind), number = next(_numbers), node = 0
    fill(<PyObject *>ref, s_ref_id, <PyObject *>number)
    fill(<PyObject *>ref, s_ref_node, <PyObject *>node)
    return ref


cdef inline object table_in(object process, Py_ssize_t slot):
    """Return the dict that a slot of a process holds, made now if there is none: `watchers_of`, `monitors_of`."""
    cdef PyObject *record = <PyObject *>process
    cdef object table
    if load(record, slot) is NONE:
        table = {}
        if load(record, slot) is NONE:  # no finalizer has made one meanwhile
            store(record, slot, <PyObject *>table)
    return <object>load(record, slot)


cdef int set_watch(object watcher, object target, object ref, object dest) except -1:
    """`watch` of a process by another one, without a tag."""
    cdef object number = <object>load(<PyObject *>ref, s_ref_id), entry = made(_Watch)
    fill(<PyObject *>entry, s_entry_watcher, <PyObject *>watcher)
    fill(<PyObject *>entry, s_entry_ref, <PyObject *>ref)
    fill(<PyObject *>entry, s_entry_dest, <PyObject *>dest)
    table_in(target, s_watchers)
    monitors, watchers = table_in(watcher, s_monitors), table_in(target, s_watchers)
    monitors[number] = target  # a test notes the place of each: no dict of the plain kind
    (<dict>watchers)[number] = entry
    return 0


def watch(watcher, target, ref, dest, tag=None):
    if usable() and tag is None and Py_TYPE(ref) is _Ref:
        if Py_TYPE(watcher) is _Process and Py_TYPE(target) is _Process:
            set_watch(watcher, target, ref, dest)
            return
    sources["watch"](watcher, target, ref, dest, tag)


def spawn_monitor(fn, *args, name=None, label=None, node=None, **kwargs):
    cdef object worker, parent, home, process, ref, pid
    if name is None and label is None and node is None and usable():
        worker = current_greenlet()
        if Py_TYPE(worker) is _Worker and PyCallable_Check(fn):
            parent = <object>load(<PyObject *>worker, s_process)
            if Py_TYPE(parent) is _Process and load(<PyObject *>parent, s_state) is not DEAD:
                home = <object>load(<PyObject *>parent, s_node)
                if is_node(home):
                    process = start_process(home, parent, new_body(fn, args, kwargs))
                    try:
                        if load(<PyObject *>parent, s_state) is DEAD:  # what a dead process does does not count
                            _signals_module.exit_signal(process, _outside, "kill")
                        ref, pid = new_ref(_Ref), <object>load(<PyObject *>process, s_pid)
                        set_watch(parent, process, ref, pid)
                    except BaseException:  # it does not run, and the hub ends it
                        store(<PyObject *>process, s_state, DEAD)
                        process.reason = home.half_dead[process] = "killed"
                        raise
                    return pid, ref
    ensure_stack()
    return sources["spawn_monitor"](fn, *args, name=name, label=label, node=node, **kwargs)


cdef int fire(object entry, object process, object reason) except -1:
    """Tell one of those who watch: `Watch.fire`, without a tag."""
    cdef object watcher, monitors, ref, number, copied, down
    if Py_TYPE(entry) is not _Watch:
        entry.fire(process, reason)
        return 0
    watcher = <object>load(<PyObject *>entry, s_entry_watcher)
    if Py_TYPE(watcher) is not _Process or load(<PyObject *>watcher, s_cleanup) is not FALSE:
        entry.fire(process, reason)
        return 0
    monitors, ref = <object>load(<PyObject *>watcher, s_monitors), <object>load(<PyObject *>entry, s_entry_ref)
    number = <object>load(<PyObject *>ref, s_ref_id)
    if monitors is None or not PyDict_Contains(monitors, number):
        return 0
    copied = reason if is_atomic(reason) else _signals_module.own_copy(reason)
    down = three(_Down, ref, <object>load(<PyObject *>entry, s_entry_dest), copied)
    if load(<PyObject *>watcher, s_state) is not DEAD:
        if load(<PyObject *>watcher, s_state) is RECEIVING:
            wake_up(watcher)
        put_in(watcher, down)
    return take_out(monitors, number)


# -- Links ----------------------------------------------------------------------------------------------------------


cdef bint is_among(object process, object links) except -1:
    """``process in links``."""
    if Py_TYPE(links) is &PyDict_Type:
        return PyDict_Contains(links, process)
    for other in <tuple>links:
        if other is process:
            return True
    return False


cdef int send_exit(object target, object sender, object reason, bint linked) except -1:
    """`exit_signal` to a process of this node."""
    cdef PyObject *record = <PyObject *>target
    cdef bint is_atom
    cdef object copied
    if load(record, s_state) is DEAD:
        return 0
    is_atom = Py_TYPE(reason) is &PyUnicode_Type or Py_TYPE(reason) is _Atom
    if is_atom and not linked and reason == "kill":
        reason = "killed"
    elif load(record, s_trap_exit) is not FALSE:
        copied = reason if is_atomic(reason) else _signals_module.own_copy(reason)
        if load(record, s_state) is not DEAD:  # else code of the program's has ended it, while it copied
            if load(record, s_state) is RECEIVING:
                wake_up(target)
            put_in(target, two(_Exit, sender, copied))
        return 0
    elif is_atom and reason == "normal" and (linked or load(record, s_pid) is not <PyObject *>sender):
        return 0
    if load(record, s_worker) is not NONE:
        _signals_module.kill(target, reason, sender)
        return 0
    target.cause = sender
    return end(target, reason)


def exit_signal(target, sender, reason, linked=False):
    if not usable() or Py_TYPE(target) is not _Process:
        return sources["exit_signal"](target, sender, reason, linked)
    send_exit(target, sender, reason, linked)


cdef int tell_linked(object process, object other, object pid, object reason) except -1:
    """Send EXIT through one link, which ends with it."""
    cdef object links
    if Py_TYPE(other) is not _Process:
        if process in other.links:
            _signals_module.exit_signal(other, pid, reason, linked=True)
            other.drop_link(process)
        return 0
    if not is_among(process, <object>load(<PyObject *>other, s_links)):
        return 0
    send_exit(other, pid, reason, True)
    links = <object>load(<PyObject *>other, s_links)
    if Py_TYPE(links) is &PyTuple_Type and len(<tuple>links) == 1 and (<tuple>links)[0] is process:
        store(<PyObject *>other, s_links, <PyObject *>_nothing)
    elif Py_TYPE(links) is &PyDict_Type:
        if PyDict_Contains(links, process):
            PyDict_DelItem(links, process)
    else:
        other.drop_link(process)
    return 0


cdef int link_both(object one, object other) except -1:
    """`link_processes` where a process that has many links gets one that has none."""
    cdef object links = <object>load(<PyObject *>one, s_links), shared
    if Py_TYPE(links) is not &PyDict_Type or <object>load(<PyObject *>other, s_links) is not _nothing:
        sources["link_processes"](one, other)
        return 0
    shared = next(reversed((<dict>links).values()), None)
    if shared is None:
        shared = (one,)
    if load(<PyObject *>one, s_links) is not <PyObject *>links or <object>load(<PyObject *>other, s_links) is not _nothing:
        sources["link_processes"](one, other)  # a finalizer has just changed them
        return 0
    (<dict>links)[other] = shared
    store(<PyObject *>other, s_links, <PyObject *>shared)
    return 0


def link_processes(one, other):
    if not usable() or Py_TYPE(one) is not _Process or Py_TYPE(other) is not _Process:
        return sources["link_processes"](one, other)
    link_both(one, other)


cdef object _SELF = object()


def exit(pid, reason=_SELF):
    cdef object worker, sender, target
    ensure_stack()
    if reason is not _SELF and Py_TYPE(pid) is _Pid and is_atomic(reason) and usable() and has_room(LEVELS):
        worker, target = current_greenlet(), <object>load(<PyObject *>pid, s_pid_process)
        if Py_TYPE(worker) is _Worker and Py_TYPE(target) is _Process:
            sender = <object>load(<PyObject *>worker, s_process)
            if Py_TYPE(sender) is _Process and load(<PyObject *>sender, s_state) is not DEAD:
                send_exit(target, <object>load(<PyObject *>sender, s_pid), reason, False)
                if load(<PyObject *>sender, s_state) is DEAD:
                    scheduler_of(<PyObject *>sender).refuse(sender)
                return True
    return sources["exit"](pid) if reason is _SELF else sources["exit"](pid, reason)


# -- Deaths ---------------------------------------------------------------------------------------------------------


cdef int tell_of(object process) except -1:
    """`_tell_of`, the first time that a death is told."""
    cdef PyObject *record = <PyObject *>process
    cdef object reason, pid, links, watchers, monitors
    if Py_TYPE(process) is not _Process:
        _signals_module._tell_of(process)
        return 0
    reason, pid = <object>load(record, s_reason), <object>load(record, s_pid)
    monitors, links = <object>load(record, s_monitors), <object>load(record, s_links)
    if monitors is not None:
        for number, target in monitors.items():
            drop_watcher(target, number)
    if links is not _nothing:
        for other in links:
            tell_linked(process, other, pid, reason)
    watchers = <object>load(record, s_watchers)
    if watchers is not None:
        if len(<dict>watchers) == 1:
            fire(first_of(watchers), process, reason)
        else:
            for entry in PyDict_Values(watchers):
                fire(entry, process, reason)
    store(record, s_links, <PyObject *>_nothing)
    store(record, s_watchers, NONE)
    store(record, s_monitors, NONE)
    return 0


cdef int spread_deaths(object node) except -1:
    """`spread` on a node that is known to be one."""
    cdef PyObject *record = <PyObject *>node
    cdef object deaths = <object>load(record, s_deaths)
    if load(record, s_retells) is not FALSE or Py_TYPE(deaths) is not _deque:
        sources["spread"](node)
        return 0
    try:
        store(record, s_spreads, TRUE)
        while Py_SIZE(deaths):
            tell_of(deaths[0])
            _popleft(deaths)
    except BaseException:
        node.scheduler.budget, node.scheduler.batch_ends = 0, 0.0  # the hub has the next turn
        raise
    finally:
        store(record, s_spreads, FALSE)
    return 0


cdef int announce_death(object process, object node) except -1:
    """`tell` on a node that is known to be one."""
    cdef object deaths = <object>load(<PyObject *>node, s_deaths)
    if load(<PyObject *>_hooks, s_exited) is not <PyObject *>_nothing or Py_TYPE(deaths) is not _deque:
        sources["tell"](process)
        return 0
    _append(deaths, process)
    if load(<PyObject *>node, s_spreads) is FALSE:
        spread_deaths(node)
    return 0


def spread(node):
    if not usable() or Py_TYPE(node) is not _Node:
        return sources["spread"](node)
    spread_deaths(node)


def tell(process):
    if usable() and Py_TYPE(process) is _Process:
        node = <object>load(<PyObject *>process, s_node)
        if Py_TYPE(node) is _Node:
            announce_death(process, node)
            return
    sources["tell"](process)


def finish(process, reason, unwinds=False):
    if unwinds or not usable() or Py_TYPE(process) is not _Process:
        return sources["finish"](process, reason, unwinds)
    end(process, reason)
