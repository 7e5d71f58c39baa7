/* Frames: a 4-byte length and that many bytes. */
#include "stub.h"

enum { FIRST_PIECE = 1 << 16 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Reads what is left of a frame that can not be kept, so that the next one
 * can be read. The error of the failed allocation stays. */
static int discard(int sock, struct stub_frame *frame, size_t rest)
{
    while (rest > 0) {
        size_t piece = least(rest, sizeof frame->small);
        int result = stub_read(sock, frame->small, piece);
        if (result != CONFD_OK) {
            return result;
        }
        rest -= piece;
    }
    return CONFD_ERR;
}

/* Memory follows the bytes that arrive, not the length that was announced. */
static int read_large(int sock, struct stub_frame *frame)
{
    size_t have = 0;

    while (have < frame->size) {
        size_t room = least(frame->size, have > 0 ? 2 * have : FIRST_PIECE);
        unsigned char *larger = stub_resize(frame->heap, room);
        int result;

        if (larger == NULL) {
            return discard(sock, frame, frame->size - have);
        }
        frame->heap = larger;
        result = stub_read(sock, larger + have, room - have);
        if (result != CONFD_OK) {
            return result;
        }
        have = room;
    }
    frame->data = frame->heap;
    return CONFD_OK;
}

int stub_frame_read(int sock, struct stub_frame *frame)
{
    unsigned char head[4];
    int result = stub_read(sock, head, sizeof head);

    frame->heap = NULL;
    frame->data = frame->small;
    if (result != CONFD_OK) {
        return result;
    }
    frame->size = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
    if (frame->size == 0) {
        return stub_fail_eof();
    }
    if (frame->size > INT32_MAX) {
        return stub_fail(CONFD_ERR_MALLOC, "%s", "");
    }
    if (frame->size <= sizeof frame->small) {
        return stub_read(sock, frame->small, frame->size);
    }
    return read_large(sock, frame);
}

void stub_frame_free(struct stub_frame *frame)
{
    stub_free(frame->heap);
}
