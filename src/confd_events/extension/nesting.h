/* How deep lists lie in lists. libconfd copies, prints and frees values by recursion, so a value
 * that is nested deeply enough would end the process: look before it is copied. */
#ifndef CONFD_EVENTS_NESTING_H
#define CONFD_EVENTS_NESTING_H

/* A data model has a level or two; a thread's stack of 256 KB has room for a thousand. */
enum { DEEPEST_LIST = 100 };

/* Elements of a list that are yet to be looked at. */
struct elements {
    const confd_value_t *next;
    const confd_value_t *end;
};

/* Are lists nested deeper than that? Without recursion. */
static inline int nests_too_deeply(const confd_value_t *v)
{
    struct elements open[DEEPEST_LIST];
    int depth = 0;
    for (;;) {
        if (v->type == C_LIST) {
            if (depth == DEEPEST_LIST)
                return 1;
            open[depth].next = v->val.list.ptr;
            open[depth].end = v->val.list.ptr + v->val.list.size;
            depth++;
        }
        while (depth > 0 && open[depth - 1].next == open[depth - 1].end)
            depth--;
        if (depth == 0)
            return 0;
        v = open[depth - 1].next++;
    }
}

#endif
