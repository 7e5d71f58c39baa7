/* confd_notifications_connect() and its sibling. */
#include <string.h>

#include "stub.h"

enum { LONGEST_NAME = 255 };

/* What can not be sent is refused before the daemon hears of it. */
static int check_data(confd_notification_type mask, const struct confd_notifications_data *data)
{
    if (data == NULL && (mask & CONFD_NOTIF_HEARTBEAT) != 0) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Need heartbeat interval");
    }
    if (data == NULL && (mask & CONFD_NOTIF_HEALTH_CHECK) != 0) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Need health check interval");
    }
    if ((mask & CONFD_NOTIF_STREAM_EVENT) == 0) {
        return CONFD_OK;
    }
    if (data == NULL) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Need notification stream info");
    }
    if (data->stream_name == NULL) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Need notification stream name");
    }
    return CONFD_OK;
}

static void put_zone(struct stub_message *m, const struct confd_datetime *t)
{
    if (t->timezone == CONFD_TIMEZONE_UNDEF) {
        stub_put_nil(m);
        stub_put_int(m, 0);
    } else {
        stub_put_int(m, t->timezone);
        stub_put_int(m, t->timezone_minutes);
    }
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
    stub_put_long(m, t->micro);
    put_zone(m, t);
}

/* A stop only counts with a start. */
static void put_times(struct stub_message *m, const struct confd_notifications_data *data)
{
    put_time(m, &data->start_time);
    put_time(m, data->start_time.type == C_DATETIME ? &data->stop_time : &data->start_time);
}

static void put_stream(struct stub_message *m, const struct confd_notifications_data *data)
{
    stub_put_tuple(m, 6);
    stub_put_atom(m, data->stream_name);
    put_times(m, data);
    if (data->xpath_filter != NULL) {
        stub_put_binary(m, data->xpath_filter);
    } else {
        stub_put_atom(m, "undefined");
    }
    stub_put_long(m, data->usid);
    stub_put_int(m, 0);
}

#if CONFD_API_LEVEL >= 77
static int verbosity(confd_notification_type mask, const struct confd_notifications_data *data)
{
    return (mask & (CONFD_NOTIF_PROGRESS | CONFD_NOTIF_COMMIT_PROGRESS)) != 0
               ? (int)data->verbosity
               : 0;
}
#else
static int verbosity(confd_notification_type mask, const struct confd_notifications_data *data)
{
    (void)mask;
    (void)data;
    return 0;
}
#endif

static void put_subscription(struct stub_message *m, confd_notification_type mask,
                             const struct confd_notifications_data *data)
{
    stub_put_tuple(m, 5);
    stub_put_long(m, mask);
    stub_put_long(m, (mask & CONFD_NOTIF_HEARTBEAT) != 0 ? data->heartbeat_interval : 0);
    stub_put_long(m, (mask & CONFD_NOTIF_HEALTH_CHECK) != 0 ? data->health_check_interval : 0);
    if ((mask & CONFD_NOTIF_STREAM_EVENT) != 0) {
        put_stream(m, data);
    } else {
        stub_put_atom(m, "undefined");
    }
    stub_put_long(m, verbosity(mask, data));
}

static int check_time(const confd_value_t *v)
{
    if (v->type == C_DATETIME || v->type == C_NOEXISTS) {
        return CONFD_OK;
    }
    return stub_fail(CONFD_ERR_BADTYPE, "Invalid confd_vtype value: %d", (int)v->type);
}

static int bad_term(int line)
{
    return stub_fail(CONFD_ERR_INTERNAL, "subscribe.c:%d: Bad term\n", line);
}

/* Some of it is only found out when the daemon has answered the hello. */
static int check_stream(const struct confd_notifications_data *data)
{
    if (strlen(data->stream_name) > LONGEST_NAME) {
        return bad_term(__LINE__);
    }
    if (check_time(&data->start_time) != CONFD_OK || data->start_time.type == C_NOEXISTS) {
        return check_time(&data->start_time);
    }
    return check_time(&data->stop_time);
}

static int send_subscription(int sock, confd_notification_type mask,
                             const struct confd_notifications_data *data)
{
    size_t room = 1024;
    struct stub_message m;
    unsigned char *buffer;
    int result;

    if ((mask & CONFD_NOTIF_STREAM_EVENT) != 0) {
        if (check_stream(data) != CONFD_OK) {
            return CONFD_ERR;
        }
        room += data->xpath_filter != NULL ? strlen(data->xpath_filter) : 0;
    }
    buffer = stub_alloc(room);
    if (buffer == NULL) {
        return CONFD_ERR;
    }
    stub_message_begin(&m, buffer, room);
    put_subscription(&m, mask, data);
    result = stub_message_send(sock, &m);
    stub_free(buffer);
    return result;
}

/* {error, Code, Text} */
static int read_refusal(struct stub_term *t)
{
    int code = stub_int(t, "code");
    char *text = stub_text(t, "text");
    int result = text != NULL ? stub_fail(code, "%s", text) : CONFD_ERR;

    stub_free(text);
    return result;
}

static int check_answer(struct stub_term *t)
{
    if (stub_term_take_atom(t, "ok")) {
        return CONFD_OK;
    }
    if (!stub_term_tuple_of(t, "answer", 3) || !stub_term_take_atom(t, "error")) {
        return bad_term(__LINE__);
    }
    return read_refusal(t);
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
    int result = stub_require_init();

    if (result == CONFD_OK) {
        result = check_data(mask, data);
    }
    if (result == CONFD_OK) {
        result = stub_session_open(sock, srv, srv_sz, STUB_CLIENT_EVENTS);
    }
    if (result == CONFD_OK) {
        result = send_subscription(sock, mask, data != NULL ? data : &none);
    }
    return result == CONFD_OK ? read_answer(sock) : result;
}

int confd_notifications_connect(int sock, const struct sockaddr *srv, int srv_sz,
                                confd_notification_type mask)
{
    return confd_notifications_connect2(sock, srv, srv_sz, mask, NULL);
}
