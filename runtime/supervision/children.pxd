"""The types of children.py, where it is compiled."""

from runtime.supervision.child cimport Child

cdef class Children:
    cdef public object strategy
    cdef public object intensity
    cdef public object auto_shutdown
    cdef public object children
    cdef public object accepts
    cdef public object starting

    cpdef report_restarted(self, Child child, object old, object reason)
