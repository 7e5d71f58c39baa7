"""Numbers of confd_maapi.h and confd_dp.h, under their names there without CONFD_."""

MOP_CREATED = 1
MOP_DELETED = 2
MOP_MODIFIED = 3
MOP_VALUE_SET = 4
MOP_MOVED_AFTER = 5
MOP_ATTR_SET = 6

ITER_STOP = 1
ITER_RECURSE = 2
ITER_CONTINUE = 3
ITER_UP = 5

ITER_WANT_ATTR = 1 << 2
ITER_WANT_P_CONTAINER = 1 << 8

READ = 1
READ_WRITE = 2
