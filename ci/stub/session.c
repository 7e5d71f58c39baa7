/* From a fresh socket to a daemon that has accepted the client's version. */
#include "stub.h"

enum { WITH_SECRET = 0x80 };

static int send_hello(int sock, int client)
{
    const unsigned char hello[9] = {
        (unsigned char)client,
        CONFD_LIB_PROTO_VSN >> 8,
        CONFD_LIB_PROTO_VSN & 0xff,
        CONFD_LIB_VSN >> 24 & 0xff,
        CONFD_LIB_VSN >> 16 & 0xff,
        CONFD_LIB_VSN >> 8 & 0xff,
        CONFD_LIB_VSN & 0xff,
        MAXDEPTH,
        MAXKEYLEN,
    };
    return stub_write(sock, hello, sizeof hello);
}

static int check_version(int sock)
{
    unsigned char reply[9];
    int result = stub_read(sock, reply, sizeof reply);

    if (result != CONFD_OK || reply[0] == 0) {
        return result;
    }
    if (reply[0] == 1) {
        return stub_fail(CONFD_ERR_PROTOUSAGE,
                         "Library protocol version (%d) is not compatible with "
                         "ConfD protocol version (%d)",
                         CONFD_LIB_PROTO_VSN, reply[1] << 8 | reply[2]);
    }
    if (reply[0] == 2) {
        return stub_fail(CONFD_ERR_PROTOUSAGE,
                         "Library MAXDEPTH/MAXKEYLEN %d/%d for confd_hkeypath_t are too small, "
                         "ConfD needs %d/%d",
                         MAXDEPTH, MAXKEYLEN, reply[7], reply[8]);
    }
    return stub_fail(CONFD_ERR_INTERNAL, "session.c(%d): Failed to decode data\n", __LINE__);
}

int stub_session_open(int sock, const struct sockaddr *srv, int srv_sz, enum stub_client client)
{
    bool secret = stub_secret_is_known();
    int result = stub_connect(sock, srv, srv_sz);

    if (result == CONFD_OK) {
        result = send_hello(sock, (int)client | (secret ? WITH_SECRET : 0));
    }
    if (result == CONFD_OK && secret) {
        result = stub_secret_prove(sock);
    }
    return result == CONFD_OK ? check_version(sock) : result;
}
