# cython: language_level=3, boundscheck=False, wraparound=False, nonecheck=True
"""The compiled kernel: what programs spend their time in, from the files that are included here.

Each function does what the function of its name in the sources does, in the usual case, and hands every other case to
that one before it has changed anything.
"""

include "_records.pxi"
include "_mailboxes.pxi"
include "_messages.pxi"
include "_lifecycle.pxi"
include "_signals.pxi"
include "_matching.pxi"
include "_timing.pxi"
include "_callbacks.pxi"
include "_serving.pxi"
include "_starting.pxi"
include "_scheduling.pxi"
include "_working.pxi"
