"""The types of ordered.py, where it is compiled."""

from runtime.supervision.child cimport Child
from runtime.supervision.children cimport Children

cdef class OrderedChildren(Children):
    cdef public dict _running

    cpdef _start(self, Child child)
    cdef _start_again(self, Child child, object old, object reason)
    cdef _end(self, Child child)

cdef _key_of(object pid)
