/* confd_notifications_connect() and its sibling. */
#include <string.h>

#include "stub.h"

struct subscription {
    int64_t mask;
    int heartbeat;
    int health_check;
    const char *stream; /* NULL: no stream is asked for */
    const struct confd_notifications_data *data;
};

static bool is_time(const confd_value_t *v)
{
    return v->type == C_DATETIME || v->type == C_NOEXISTS || (int)v->type == 0;
}

static int check_stream(const struct confd_notifications_data *data)
{
    if (data->stream_name == NULL || data->stream_name[0] == '\0') {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Need stream name");
    }
    if (strlen(data->stream_name) > UINT16_MAX) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Stream name is too long");
    }
    if (!is_time(&data->start_time) || !is_time(&data->stop_time)) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Start and stop time must be C_DATETIME");
    }
    return CONFD_OK;
}

/* What can not work is refused before the daemon hears of it. */
static int prepare(struct subscription *s)
{
    if ((s->mask & CONFD_NOTIF_HEARTBEAT) != 0) {
        s->heartbeat = s->data->heartbeat_interval;
        if (s->heartbeat <= 0) {
            return stub_fail(CONFD_ERR_PROTOUSAGE, "Need heartbeat interval");
        }
    }
    if ((s->mask & CONFD_NOTIF_HEALTH_CHECK) != 0) {
        s->health_check = s->data->health_check_interval;
        if (s->health_check <= 0) {
            return stub_fail(CONFD_ERR_PROTOUSAGE, "Need health check interval");
        }
    }
    if ((s->mask & CONFD_NOTIF_STREAM_EVENT) != 0) {
        s->stream = s->data->stream_name;
        return check_stream(s->data);
    }
    return CONFD_OK;
}

static void put_time(struct stub_message *m, const confd_value_t *v)
{
    const struct confd_datetime *t = &v->val.datetime;

    if (v->type != C_DATETIME) {
        stub_put_atom(m, "undefined");
        return;
    }
    stub_put_tuple(m, 2);
    stub_put_int(m, C_DATETIME);
    stub_put_tuple(m, 9);
    stub_put_int(m, t->year);
    stub_put_int(m, t->month);
    stub_put_int(m, t->day);
    stub_put_int(m, t->hour);
    stub_put_int(m, t->min);
    stub_put_int(m, t->sec);
    stub_put_int(m, t->micro);
    stub_put_int(m, t->timezone);
    stub_put_int(m, t->timezone_minutes);
}

static void put_stream(struct stub_message *m, const struct subscription *s)
{
    if (s->stream == NULL) {
        stub_put_atom(m, "undefined");
        return;
    }
    stub_put_tuple(m, 6);
    stub_put_atom(m, s->stream);
    put_time(m, &s->data->start_time);
    put_time(m, &s->data->stop_time);
    if (s->data->xpath_filter != NULL) {
        stub_put_binary(m, s->data->xpath_filter);
    } else {
        stub_put_atom(m, "undefined");
    }
    stub_put_int(m, s->data->usid);
    stub_put_int(m, 0);
}

static int verbosity(const struct confd_notifications_data *data)
{
#if CONFD_API_LEVEL >= 77
    return (int)data->verbosity;
#else
    (void)data;
    return 0;
#endif
}

static int send_subscription(int sock, const struct subscription *s)
{
    size_t room = 512;
    struct stub_message m;
    unsigned char *buffer;
    int result;

    if (s->stream != NULL) {
        room += strlen(s->stream);
        room += s->data->xpath_filter != NULL ? strlen(s->data->xpath_filter) : 0;
    }
    buffer = stub_alloc(room);
    if (buffer == NULL) {
        return CONFD_ERR;
    }
    stub_message_begin(&m, buffer, room);
    stub_put_tuple(&m, 5);
    stub_put_int(&m, s->mask);
    stub_put_int(&m, s->heartbeat);
    stub_put_int(&m, s->health_check);
    put_stream(&m, s);
    stub_put_int(&m, verbosity(s->data));
    result = stub_message_send(sock, &m);
    stub_free(buffer);
    return result;
}

static int check_answer(struct stub_term *t)
{
    char text[512];
    int code;

    if (stub_term_take_atom(t, "ok")) {
        stub_term_close(t);
        return t->failed ? CONFD_ERR : CONFD_OK;
    }
    stub_term_tuple_of(t, "answer", 3);
    if (!stub_term_take_atom(t, "error")) {
        stub_term_fail(t, "answer", "neither ok nor an error");
    }
    code = stub_int(t, "code");
    stub_text_array(t, "text", text, sizeof text);
    stub_term_close(t);
    return t->failed ? CONFD_ERR : stub_fail(code, "%s", text);
}

static int read_answer(int sock)
{
    struct stub_frame frame;
    struct stub_term t;
    int result = stub_frame_read(sock, &frame);

    if (result == CONFD_OK) {
        stub_term_open(&t, &frame, "subscription");
        result = check_answer(&t);
    }
    stub_frame_free(&frame);
    return result;
}

int confd_notifications_connect2(int sock, const struct sockaddr *srv, int srv_sz,
                                 confd_notification_type mask,
                                 struct confd_notifications_data *data)
{
    static const struct confd_notifications_data none;
    struct subscription s = {.mask = (int64_t)mask, .data = data != NULL ? data : &none};
    int result = stub_require_init();

    if (result == CONFD_OK) {
        result = prepare(&s);
    }
    if (result == CONFD_OK) {
        result = stub_session_open(sock, srv, srv_sz, STUB_CLIENT_EVENTS);
    }
    if (result == CONFD_OK) {
        result = send_subscription(sock, &s);
    }
    return result == CONFD_OK ? read_answer(sock) : result;
}

int confd_notifications_connect(int sock, const struct sockaddr *srv, int srv_sz,
                                confd_notification_type mask)
{
    return confd_notifications_connect2(sock, srv, srv_sz, mask, NULL);
}
