"""The records of the sources, as compiled code reads and writes them. Each compiled part includes this file.

The records stay the classes of the sources: their slots are read and written where these classes keep them. No Python
code runs in the middle of a change, so no signal finds one half done.
"""

from cpython.object cimport Py_SIZE, Py_TYPE, PyObject, PyTypeObject
from cpython.set cimport PySet_Contains

from collections import deque
from types import MemberDescriptorType

from greenlet import greenlet

from runtime.terms._isolation import isolate
from runtime.terms.immutable import ATOMIC, IMMUTABLE

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
    /* Return what a slot holds; None for an empty one. The collector empties the slots of garbage, and code that runs at
       the end of an object in it may still reach the others. */
    static inline PyObject *load(PyObject *record, Py_ssize_t slot) {
        PyObject *value = *(PyObject **)((char *)record + slot);
        return value == NULL ? Py_None : value;
    }
    static inline void fill(PyObject *record, Py_ssize_t slot, PyObject *value) {
        Py_INCREF(value);
        *(PyObject **)((char *)record + slot) = value;
    }
    static inline void store(PyObject *record, Py_ssize_t slot, PyObject *value) {
        PyObject **place = (PyObject **)((char *)record + slot);
        PyObject *before = *place;
        Py_INCREF(value);
        *place = value;
        Py_XDECREF(before);
    }
    /* Set the slots of a new record to what they are in another one, of which none is empty. */
    static inline void fill_like(PyObject *record, PyObject *other, Py_ssize_t first, Py_ssize_t count) {
        PyObject **to = (PyObject **)((char *)record + first), **from = (PyObject **)((char *)other + first);
        for (Py_ssize_t index = 0; index < count; index++) {
            Py_INCREF(from[index]);
            to[index] = from[index];
        }
    }
    #define made(kind) ((kind)->tp_alloc(kind, 0))
    /* Take a key out of a dict, if it is there. */
    static inline int take_out(PyObject *dict, PyObject *key) {
        if (PyDict_DelItem(dict, key) == 0) return 0;
        if (!PyErr_ExceptionMatches(PyExc_KeyError)) return -1;
        PyErr_Clear();
        return 0;
    }
    /* The methods of a deque, called without a look at what they are bound to: each caller has looked at the type. */
    static PyCFunction queue_append_, queue_appendleft_, queue_popleft_;
    static PyCFunction function_of(PyObject *method, int flags) {
        PyMethodDef *function;
        if (!Py_IS_TYPE(method, &PyMethodDescr_Type)) return NULL;
        function = ((PyMethodDescrObject *)method)->d_method;
        return (function->ml_flags & ~METH_COEXIST) == flags ? function->ml_meth : NULL;
    }
    static int find_queue(PyObject *append, PyObject *appendleft, PyObject *popleft) {
        queue_append_ = function_of(append, METH_O);
        queue_appendleft_ = function_of(appendleft, METH_O);
        queue_popleft_ = function_of(popleft, METH_NOARGS);
        return queue_append_ != NULL && queue_appendleft_ != NULL && queue_popleft_ != NULL;
    }
    static inline int dropped(PyObject *result) {
        if (result == NULL) return -1;
        Py_DECREF(result);
        return 0;
    }
    #define queue_append(queue, item) dropped(queue_append_(queue, item))
    #define queue_appendleft(queue, item) dropped(queue_appendleft_(queue, item))
    #define queue_popleft(queue) queue_popleft_(queue, NULL)
    #if PY_VERSION_HEX >= 0x030C0000
    #define IS_ONE_DIGIT(number) (((PyLongObject *)(number))->long_value.lv_tag == 8)
    #define DIGIT(number) (((PyLongObject *)(number))->long_value.ob_digit[0])
    #else
    #define IS_ONE_DIGIT(number) (Py_SIZE(number) == 1)
    #define DIGIT(number) (((PyLongObject *)(number))->ob_digit[0])
    #endif
    static int import_greenlet(void) {
        PyGreenlet_Import();
        return _PyGreenlet_API == NULL ? -1 : 0;
    }
    /* The greenlet that was last found to run. At each switch greenlet counts up `context_ver` of the thread, to have
       Python forget the context variables that it keeps at hand. As long as that number stays, so does the greenlet. */
    static struct { uint64_t thread, switches; PyObject *greenlet; } running = {0, 0, NULL};
    static int switches_are_counted = 0;
    static inline int is_noted(PyThreadState *thread) {
        return running.switches == thread->context_ver && running.thread == thread->id;
    }
    static inline void note_running(PyThreadState *thread, PyObject *greenlet) {
        if (!switches_are_counted) return;
        running.thread = thread->id, running.switches = thread->context_ver, running.greenlet = greenlet;
    }
    static PyObject *find_running(PyThreadState *thread) {
        PyObject *greenlet = (PyObject *)PyGreenlet_GetCurrent();
        if (greenlet == NULL) return NULL;
        note_running(thread, greenlet);
        Py_DECREF(greenlet);  /* it goes on to run, so it is kept */
        return greenlet;
    }
    static inline PyObject *running_greenlet(void) {
        PyThreadState *thread = PyThreadState_Get();
        return is_noted(thread) ? running.greenlet : find_running(thread);
    }
    static inline PyObject *current_greenlet(void) {
        PyObject *greenlet = running_greenlet();
        Py_XINCREF(greenlet);
        return greenlet;
    }
    #define kind_of(value) Py_TYPE(value)
    #define release(value) Py_XDECREF(value)
    static inline uint64_t count_of_switches(void) { return PyThreadState_Get()->context_ver; }
    """
    unsigned long long count_of_switches()
    bint switches_are_counted
    Py_ssize_t slot_of(object)
    PyObject *load(PyObject *, Py_ssize_t)
    void store(PyObject *, Py_ssize_t, PyObject *)
    void fill(PyObject *, Py_ssize_t, PyObject *)
    void fill_like(PyObject *, PyObject *, Py_ssize_t, Py_ssize_t)
    object made(PyTypeObject *)  # an object without attributes, of a class that has slots alone
    int take_out(object, object) except -1
    int import_greenlet() except -1
    bint find_queue(object, object, object)
    int _append "queue_append"(object, object) except -1
    int _appendleft "queue_appendleft"(object, object) except -1
    object _popleft "queue_popleft"(object)
    object current_greenlet()
    PyObject *running_greenlet() except? NULL  # borrowed
    PyTypeObject *kind_of(PyObject *)
    void release(PyObject *)
    PyTypeObject PyTuple_Type, PyFloat_Type, PyUnicode_Type, PyLong_Type, PyDict_Type, PyBytes_Type, PyType_Type
    PyObject *TRUE "Py_True"  # a cast of Python's True would be one of a number
    PyObject *FALSE "Py_False"
    bint PyType_IsSubtype(PyTypeObject *, PyTypeObject *)

include "../terms/_c_stack.pxi"

import_greenlet()

sources = {}
"""The functions of the sources, by name."""

cdef set _atomic = ATOMIC
cdef set _immutable = IMMUTABLE
cdef tuple _nothing = ()
cdef PyTypeObject *_deque = <PyTypeObject *>deque

cdef bint _is_usable = False
cdef bint _has_looked = False
cdef bint _is_ready = False  # usable, and not tapped
cdef PyTypeObject *_Process = NULL
cdef PyTypeObject *_Worker = NULL
cdef PyTypeObject *_Pid = NULL
cdef PyTypeObject *_Scheduler = NULL
cdef PyTypeObject *_Node = NULL
cdef PyTypeObject *_PlainBody = NULL
cdef PyTypeObject *_Crash = NULL
cdef PyTypeObject *_Remains = NULL
cdef PyTypeObject *_Watch = NULL
cdef PyTypeObject *_Down = NULL
cdef PyTypeObject *_Exit = NULL
cdef PyTypeObject *_Atom = NULL
cdef PyTypeObject *_Ref = NULL
cdef PyTypeObject *_TimerRef = NULL
cdef PyTypeObject *_Timer = NULL
cdef PyTypeObject *_Timers = NULL
cdef object _keep = None
cdef object _hooks = None
cdef PyObject *RUNNABLE = NULL
cdef PyObject *RUNNING = NULL
cdef PyObject *RECEIVING = NULL
cdef PyObject *WAITING = NULL
cdef PyObject *DEAD = NULL
cdef PyObject *NONE = <PyObject *>None

cdef object _numbers, _template, _real_clock
cdef object _scheduler_module, _body_module, _signals_module, _outside, _NOTHING, _ANY, _known
cdef Py_ssize_t _first_slot = 0
cdef Py_ssize_t _slot_count = 0

# Of a process, in the order in which `Process` declares them.
cdef Py_ssize_t s_node, s_body, s_parent, s_started_at, s_pid, s_state, s_worker, s_mailbox, s_saved, s_loop
cdef Py_ssize_t s_cleanup, s_slowly, s_waiting_for, s_reason, s_links, s_watchers, s_monitors, s_name
cdef Py_ssize_t s_in, s_out, s_reductions, s_deadline, s_timer_at, s_trap_exit
# Of a worker, a pid, a plain body, the scheduler, the node and the hooks.
cdef Py_ssize_t s_process, s_local_links, s_pid_process, s_pid_id, s_function, s_args, s_kwargs
cdef Py_ssize_t s_ready, s_scheduled, s_budget, s_idle, s_hub, s_batch_ends, s_remains, s_doomed, s_collecting
cdef Py_ssize_t s_deaths, s_spreads, s_retells
# Of a monitor, a reference, a timer, all timers and what patterns become.
cdef Py_ssize_t s_entry_watcher, s_entry_ref, s_entry_dest, s_ref_id, s_ref_node
cdef Py_ssize_t s_timer_ref, s_timer_due, s_timer_dest, s_timer_message, s_timer_sent
cdef Py_ssize_t s_now, s_pending, s_later, s_slots, s_entries, s_stale
cdef Py_ssize_t s_stable, s_first, s_kinds
# Of timers, and of the node's table.
cdef int SLOTS = 0
cdef Py_ssize_t MANY = 0
cdef int BLOCK = 0
cdef Py_ssize_t s_scheduler, s_spawned, s_table, s_half_dead, s_timers, s_sent, s_received, s_spawned_hooks, s_exited


cdef bint look() except -1:
    """Find the classes of the sources and their slots, once. They are all there when the first function is called."""
    global _is_usable, _has_looked, _is_ready, _Process, _Worker, _Pid, _Scheduler, _Node, _PlainBody
    global _Crash, _keep, _hooks
    global RUNNABLE, RUNNING, RECEIVING, WAITING, DEAD
    global _template, _scheduler_module, _body_module, _signals_module
    global _Remains, _Watch, _Down, _Exit, _Atom, _Ref, _TimerRef, _Timer, _Timers, _real_clock
    global _numbers, _outside, _NOTHING, _ANY, _known, SLOTS, MANY, BLOCK
    import time

    from runtime.kernel import body, instrument, mailbox, node, process, remains, scheduler, signals, table, timers
    from runtime.terms import pattern, ref
    from runtime.terms.atom import Atom
    from runtime.terms.crash import Crash

    _scheduler_module, _body_module, _signals_module = scheduler, body, signals
    states = process.RUNNABLE, process.RUNNING, process.RECEIVING, process.WAITING, process.DEAD
    RUNNABLE, RUNNING = <PyObject *>process.RUNNABLE, <PyObject *>process.RUNNING
    RECEIVING, WAITING, DEAD = <PyObject *>process.RECEIVING, <PyObject *>process.WAITING, <PyObject *>process.DEAD
    _hooks = instrument.hooks
    _keep = (
        *(states, process.Process, process.Worker, process.Pid, scheduler.Scheduler, node.Node, body.PlainBody, Crash),
        *(remains.Remains, signals.Down, Atom, ref.Ref, ref.TimerRef, process.Timer, timers.Timers, signals.Watch),
        signals.Exit,
    )
    _Process, _Worker = <PyTypeObject *>process.Process, <PyTypeObject *>process.Worker
    _Pid, _Scheduler = <PyTypeObject *>process.Pid, <PyTypeObject *>scheduler.Scheduler
    _Node, _PlainBody, _Crash = <PyTypeObject *>node.Node, <PyTypeObject *>body.PlainBody, <PyTypeObject *>Crash
    _Remains, _Watch = <PyTypeObject *>remains.Remains, <PyTypeObject *>signals.Watch
    _Down, _Exit, _Atom = <PyTypeObject *>signals.Down, <PyTypeObject *>signals.Exit, <PyTypeObject *>Atom
    _Ref, _TimerRef = <PyTypeObject *>ref.Ref, <PyTypeObject *>ref.TimerRef
    _Timer, _Timers = <PyTypeObject *>process.Timer, <PyTypeObject *>timers.Timers
    _numbers = ref.next_number.__self__
    _outside, _NOTHING, _ANY, _known = process.OUTSIDE, mailbox.NOTHING, pattern.ANY, pattern._known
    _real_clock, SLOTS, MANY, BLOCK = time.monotonic, timers.SLOTS, timers.MANY, table.BLOCK
    _is_usable = (
        find_small_numbers()
        and find_queue(deque.append, deque.appendleft, deque.popleft)
        and find_slots(process, body, instrument.Hooks)
        and find_more_slots(pattern.Matching)
    )
    if _is_usable:
        _template = process.Process()
        process.set_up(_template, None, None, None, None)
        for name in slots_of(process.Process):
            if not hasattr(_template, name):
                setattr(_template, name, None)  # its pid is set by who starts a process
    look_for_counting()
    _has_looked = True
    _is_ready = _is_usable and not _is_tapped
    return _is_usable


def switch_count():
    return count_of_switches()


cdef int look_for_counting() except -1:
    """Find out whether greenlet counts its switches where this looks: at a start, and at an end."""
    global switches_are_counted
    before = switch_count()
    switches_are_counted = before < greenlet(switch_count).switch() < switch_count()
    return 0


cdef bint find_slots(process, body, hooks) except -1:
    global s_node, s_body, s_parent, s_started_at, s_pid, s_state, s_worker, s_mailbox, s_saved, s_loop
    global s_cleanup, s_slowly, s_waiting_for, s_reason, s_links, s_watchers, s_monitors, s_name
    global s_in, s_out, s_reductions, s_deadline, s_timer_at, s_trap_exit
    global s_process, s_local_links, s_pid_process, s_pid_id, s_function, s_args, s_kwargs
    global s_ready, s_scheduled, s_budget, s_idle, s_hub, s_batch_ends, s_remains, s_collecting
    global s_deaths, s_spreads, s_retells
    global s_scheduler, s_spawned, s_table, s_half_dead, s_timers, s_sent, s_received, s_spawned_hooks, s_exited
    global _first_slot, _slot_count
    cdef dict of = slots_of(process.Process)
    if max(of.values()) - min(of.values()) != (len(of) - 1) * sizeof(PyObject *):
        return False
    _first_slot, _slot_count = min(of.values()), len(of)
    s_node, s_body, s_parent, s_started_at, s_pid = of["node"], of["body"], of["parent"], of["started_at"], of["pid"]
    s_state, s_worker, s_mailbox, s_saved, s_loop = of["state"], of["worker"], of["mailbox"], of["saved"], of["loop"]
    s_cleanup, s_slowly, s_waiting_for = of["needs_cleanup"], of["wakes_slowly"], of["waiting_for"]
    s_reason, s_links, s_watchers, s_monitors = of["reason"], of["links"], of["watchers"], of["monitors"]
    s_name, s_in, s_out, s_reductions = of["name"], of["messages_in"], of["messages_out"], of["reductions"]
    s_deadline, s_timer_at, s_trap_exit = of["deadline"], of["timer_at"], of["trap_exit"]
    least = [min(of.values())]
    of = slots_of(process.Worker)
    s_process, s_local_links = slot_of(process.worker_slot), of["local_links"]
    least += [s_process, s_local_links]
    of = slots_of(process.Pid)
    s_pid_process, s_pid_id = of["process"], of["id"]
    least.append(min(of.values()))
    of = slots_of(body.PlainBody)
    s_function, s_args, s_kwargs = of["function"], of["args"], of["kwargs"]
    least.append(min(of.values()))
    of = slots_of(<object>_Scheduler)
    s_ready, s_scheduled, s_budget, s_idle, s_hub = of["ready"], of["scheduled"], of["budget"], of["idle"], of["hub"]
    s_batch_ends, s_remains, s_collecting = of["batch_ends"], of["remains"], of["collecting"]
    least.append(min(of.values()))
    of = slots_of(<object>_Node)
    s_scheduler, s_spawned, s_table = of["scheduler"], of["spawned"], of["table"]
    s_half_dead, s_timers = of["half_dead"], of["timers"]
    s_deaths, s_spreads, s_retells = of["deaths"], of["spreads"], of["retells"]
    least.append(min(of.values()))
    of = slots_of(hooks)
    s_sent, s_received, s_spawned_hooks, s_exited = of["sent"], of["received"], of["spawned"], of["exited"]
    least.append(min(of.values()))
    return min(least) > 0


cdef bint find_more_slots(matching) except -1:
    global s_doomed, s_entry_watcher, s_entry_ref, s_entry_dest, s_ref_id, s_ref_node, s_stable, s_first, s_kinds
    global s_timer_ref, s_timer_due, s_timer_dest, s_timer_message, s_timer_sent
    global s_now, s_pending, s_later, s_slots, s_entries, s_stale
    cdef dict of = slots_of(<object>_Remains)
    s_doomed = of["doomed"]
    least = [s_doomed]
    of = slots_of(<object>_Watch)
    s_entry_watcher, s_entry_ref, s_entry_dest = of["watcher"], of["ref"], of["dest"]
    least.append(min(of.values()))
    of = slots_of(<object>_Ref)
    s_ref_id, s_ref_node = of["id"], of["node"]
    least.append(min(of.values()))
    of = slots_of(matching)
    s_stable, s_first, s_kinds = of["stable"], of["first"], of["kinds"]
    least.append(min(of.values()))
    of = slots_of(<object>_Timer)
    s_timer_ref, s_timer_due, s_timer_dest = of["ref"], of["due"], of["dest"]
    s_timer_message, s_timer_sent = of["message"], of["is_sent"]
    least.append(min(of.values()))
    of = slots_of(<object>_Timers)
    s_now, s_pending, s_later, s_slots = of["now"], of["pending"], of["_later"], of["_slots"]
    s_entries, s_stale = of["entries"], of["stale"]
    least.append(min(of.values()))
    return min(least) > 0


cdef dict slots_of(kind):
    """Return where a class keeps each of its slots."""
    return {name: slot_of(member) for name, member in vars(kind).items() if type(member) is MemberDescriptorType}


cdef bint _is_tapped = False


def leave_to_sources(is_tapped):
    """Leave everything to the sources for as long as this is true: functions of theirs are replaced meanwhile."""
    global _is_tapped, _is_ready
    _is_tapped = is_tapped
    _is_ready = _is_usable and not _is_tapped


cdef inline bint usable() except -1:
    return _is_ready or (not _has_looked and look() and not _is_tapped)


cdef inline bint is_atomic(object value):
    """Whether a value travels by reference; the commonest kinds first.

    A class that has a metaclass is left to `isolate`: the hash of a metaclass may be code of the program's.
    """
    cdef PyTypeObject *kind = Py_TYPE(value)
    return (
        kind is &PyUnicode_Type
        or kind is &PyLong_Type
        or kind is _Pid
        or (Py_TYPE(<object>kind) is &PyType_Type and PySet_Contains(_atomic, <object>kind))
    )


cdef PyObject *plain_scheduler(PyObject *process) noexcept:
    """Return the scheduler of a process, NULL where that, its node or its queue is of another class than usual."""
    cdef PyObject *node = load(process, s_node)
    cdef PyObject *scheduler
    if kind_of(node) is not _Node:
        return NULL
    scheduler = load(node, s_scheduler)
    if kind_of(scheduler) is not _Scheduler or kind_of(load(scheduler, s_ready)) is not _deque:
        return NULL
    return scheduler


cdef inline object scheduler_of(PyObject *process):
    """``process.node.scheduler``."""
    cdef object node = <object>load(process, s_node)
    return <object>load(<PyObject *>node, s_scheduler) if Py_TYPE(node) is _Node else node.scheduler


cdef int wake_up(object process) except -1:
    """`Scheduler.wake` of a process that is known to be one."""
    cdef PyObject *record = <PyObject *>process
    cdef PyObject *scheduler = plain_scheduler(record)
    if scheduler is NULL or load(record, s_slowly) is not FALSE or load(scheduler, s_scheduled) is not TRUE:
        sources["wake"](scheduler_of(record), process)
        return 0
    _append(<object>load(scheduler, s_ready), process)
    store(record, s_state, RUNNABLE)
    return 0
