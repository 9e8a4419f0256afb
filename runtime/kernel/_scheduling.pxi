"""The compiled form of waiting and of the main loop of a worker: `Scheduler.park`, `Scheduler.run_ready`, `receive`.

They take the steps of the sources in their order. What another greenlet throws into one that waits, or the handler of a
signal raises where the program's code runs, arrives where the sources have their call of `switch`, and is treated alike.
"""

from cpython.list cimport PyList_GET_ITEM, PyList_GET_SIZE
from cpython.long cimport PyLong_AsLong, PyLong_FromLong

cdef extern from *:
    """
    #include <alloca.h>

    #if PY_VERSION_HEX >= 0x030B0000 && PY_VERSION_HEX < 0x030C0000
    #ifndef Py_BUILD_CORE
    #define Py_BUILD_CORE 1
    #endif
    #include "internal/pycore_frame.h"
    #define CAN_SKIP_FRAMES 1
    #endif
    static PyObject *skipped_code = NULL;
    static inline void skip_frames_of(PyObject *code) {
        Py_INCREF(code);
        Py_XSETREF(skipped_code, code);
    }
    /* Switch, and leave a frame of `receive` out of the stack meanwhile. For the innermost frame of a stack that it
       leaves, greenlet makes a frame object. That of the program's function is made once, one of `receive` each time. */
    static PyObject *switch_to(PyObject *greenlet, PyObject *arguments) {
        PyThreadState *thread = PyThreadState_Get();
        PyObject *here = is_noted(thread) ? running.greenlet : NULL, *result;
    #ifdef CAN_SKIP_FRAMES
        _PyCFrame *innermost = thread->cframe;
        _PyInterpreterFrame *frame = innermost->current_frame;
        int skips = frame != NULL && (PyObject *)frame->f_code == skipped_code && frame->previous != NULL;
        if (skips) innermost->current_frame = frame->previous;
    #endif
        result = PyGreenlet_Switch((PyGreenlet *)greenlet, arguments, NULL);
    #ifdef CAN_SKIP_FRAMES
        if (skips) innermost->current_frame = frame;  /* in the C frame of the interpreter's loop, which is back in place */
    #endif
        if (here != NULL) note_running(thread, here);
        return result;
    }
    /* Start a greenlet on a part of the C stack that is some way below. greenlet copies the stack of one that waits away
       only when another one takes its place: so two that talk to each other, a caller and its server for instance, have
       half as much copied when each has a place of its own. */
    #define PLACES 2
    #define DISTANCE 6400  /* of two places; the stack of a process that waits takes half of it, mostly */
    static PyObject *start_apart(PyObject *greenlet, PyObject *arguments) {
        static unsigned int last = 0;
        unsigned int place = last = (last + 1) % PLACES;
        volatile char *space = alloca(place * DISTANCE + 16);
        PyObject *result;
        *space = 0;  /* it stays in use, or the compiler leaves it out */
        result = PyGreenlet_Switch((PyGreenlet *)greenlet, arguments, NULL);
        *space = 0;
        return result;
    }
    static inline int drop_last(PyObject *list) {
        Py_ssize_t size = PyList_GET_SIZE(list);
        return PyList_SetSlice(list, size - 1, size, NULL);
    }
    static inline int has_context(void) {
        return PyThreadState_Get()->context != NULL;
    }
    #define VERSION_OF(kind) (((PyTypeObject *)(kind))->tp_version_tag)
    """
    int drop_last(object) except -1
    object switch_to(PyObject *, PyObject *)
    object start_apart(object, object)
    void skip_frames_of(object)
    bint has_context()
    unsigned int VERSION_OF(PyTypeObject *)

cdef unsigned int _worker_version = 0


cdef inline bint goes_on(object scheduler) except -1:
    """Whether the batch goes on: its budget is not used up, or renewed."""
    cdef long left = PyLong_AsLong(<object>load(<PyObject *>scheduler, s_budget)) - 1
    cdef object budget = PyLong_FromLong(left)
    store(<PyObject *>scheduler, s_budget, <PyObject *>budget)
    return left > 0 or more_time(scheduler)


cdef bint more_time(object scheduler) except -1:
    """`Scheduler.more_time`."""
    cdef object remains = <object>load(<PyObject *>scheduler, s_remains)
    cdef object ends = <object>load(<PyObject *>scheduler, s_batch_ends), doomed, steps
    if Py_TYPE(remains) is not _Remains or Py_TYPE(ends) is not &PyFloat_Type:
        return scheduler.more_time()
    doomed = <object>load(<PyObject *>remains, s_doomed)
    if monotonic_time() >= <double>ends or doomed:
        return False
    steps = _scheduler_module.STEPS
    store(<PyObject *>scheduler, s_budget, <PyObject *>steps)
    return True


cdef int wait(object process, PyObject *state) except -1:
    """`Scheduler.park` of a process that is known to be one."""
    cdef PyObject *record = <PyObject *>process
    cdef object scheduler = scheduler_of(record), ready, following = None, other = None
    cdef PyObject *hub
    cdef list idle
    if Py_TYPE(scheduler) is not _Scheduler:
        scheduler.park(process, <object>state)
        return 0
    ready = <object>load(<PyObject *>scheduler, s_ready)
    if Py_TYPE(ready) is not _deque:
        sources["park"](scheduler, process, <object>state)
        return 0
    hub = load(<PyObject *>scheduler, s_hub)
    try:
        store(record, s_state, state)
        if goes_on(scheduler):
            while Py_SIZE(ready):
                following = _popleft(ready)
                if load(<PyObject *>following, s_state) is not RUNNABLE:
                    following = None  # it died in the queue
                    continue
                other = <object>load(<PyObject *>following, s_worker)
                if other is None:
                    idle = <list>load(<PyObject *>scheduler, s_idle)
                    if PyList_GET_SIZE(idle):
                        other = <object>PyList_GET_ITEM(idle, PyList_GET_SIZE(idle) - 1)
                        drop_last(idle)
                        taken = (following,)
                        switch_to(<PyObject *>other, <PyObject *>taken)
                    else:  # only the hub starts workers: a greenlet inherits the recursion depth of its starter
                        _appendleft(ready, following)
                        switch_to(hub, NULL)
                elif following is not process:
                    switch_to(<PyObject *>other, NULL)
                break
            else:
                following = process
                switch_to(hub, NULL)
        else:
            following = process
            switch_to(hub, NULL)
        while load(record, s_state) is not RUNNABLE:
            switch_to(hub, NULL)  # a stray switch from outside: nothing woke this process
        store(record, s_state, RUNNING)
        count_up(record, s_reductions)
    except BaseException:
        scheduler._stop_waiting(process, following)
        if other is not None:
            scheduler._put_back(other)
        raise
    return 0


def park(scheduler, process, state):
    if not usable() or Py_TYPE(process) is not _Process or scheduler_of(<PyObject *>process) is not scheduler:
        return sources["park"](scheduler, process, state)
    wait(process, <PyObject *>state)


def start_worker(worker, scheduler):
    """Switch to a worker that has not begun. It is given the scheduler that it works for."""
    start_apart(worker, (scheduler,))


cdef inline int set_process(object worker, PyObject *process) except -1:
    """``worker.process = process``: an observer that meters the processes has a property in the place of the slot."""
    global _worker_version
    cdef unsigned int version = VERSION_OF(_Worker)
    if version == 0 or version != _worker_version:
        worker.process = <object>process
        from runtime.kernel.process import worker_slot

        if vars(<object>_Worker)["process"] is worker_slot:
            _worker_version = VERSION_OF(_Worker)
        return 0
    store(<PyObject *>worker, s_process, process)
    return 0


def run_ready(scheduler, worker):
    if not usable() or Py_TYPE(scheduler) is not _Scheduler or Py_TYPE(worker) is not _Worker:
        return sources["run_ready"](scheduler, worker)
    cdef object ready = <object>load(<PyObject *>scheduler, s_ready), process = None, other, body
    cdef list idle = <list>load(<PyObject *>scheduler, s_idle)
    cdef PyObject *hub = load(<PyObject *>scheduler, s_hub)
    cdef PyObject *record
    if Py_TYPE(ready) is not _deque:
        return sources["run_ready"](scheduler, worker)
    try:
        while True:
            if process is None:
                if Py_SIZE(ready) and goes_on(scheduler):
                    process = _popleft(ready)
                else:
                    if PyList_GET_SIZE(idle) >= _scheduler_module.MAX_IDLE:
                        return
                    idle.append(worker)
                    process = switch_to(hub, NULL) or None
                    continue
            record = <PyObject *>process
            if load(record, s_state) is not RUNNABLE:
                process = None
                continue
            other = <object>load(record, s_worker)
            if other is not None:
                idle.append(worker)
                process = switch_to(<PyObject *>other, NULL) or None
                continue
            try:
                store(record, s_worker, <PyObject *>worker)
                set_process(worker, record)
                store(record, s_state, RUNNING)
                count_up(record, s_reductions)
                if load(record, s_cleanup) is not FALSE and process.context is not None:
                    worker.gr_context = process.context
                body = <object>load(record, s_body)
                if Py_TYPE(body) is _PlainBody and not _is_tapped:
                    run_plain(body, process, worker)
                elif serves(body):
                    run_turns(body, process, worker)
                elif is_start(body):
                    run_start(body, process, worker)
                else:
                    body._run_process(process, worker)
            except BaseException as error:
                scheduler._contain(process, error)
            body = None
            if load(<PyObject *>worker, s_local_links) is not NONE or has_context():
                worker.wipe()
            if load(record, s_cleanup) is not FALSE and process.interrupts:
                if scheduler.forked:
                    _scheduler_module.end_child(None)
                return  # something may still hold a switch to this worker
            process = None
    except BaseException:  # it ends the worker, which may have taken one from the queue
        scheduler.may_have_lost = True
        if worker in idle:
            idle.remove(worker)
        raise
