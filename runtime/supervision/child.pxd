"""The types of child.py, where it is compiled. The record has no methods in C: these would take it 16 bytes more."""

cdef class _Restarted:
    cdef public object spec
    cdef public object restarts

cdef class Child:
    cdef object _spec
    cdef public object at

cpdef start_process(object function, object args)
cdef _started(object result)
cpdef bint is_expected(object reason, object spec, object signal)
cpdef shut_down(object pid, object spec)
cdef _end_at_once(object me, object pid, object signal)
