"""The same notifications by ctypes, as one would write it: audit and commit alone."""

from __future__ import annotations

import ctypes
import os
import socket
from typing import Any

import confd_events as events

_BUFSIZ = 8192


class _Audit(ctypes.Structure):
    _fields_ = (
        ("logno", ctypes.c_int),
        ("user", ctypes.c_char * 255),
        ("msg", ctypes.c_char * _BUFSIZ),
        ("usid", ctypes.c_int),
    )


class _Address(ctypes.Union):
    _fields_ = (("v4", ctypes.c_ubyte * 4), ("v6", ctypes.c_ubyte * 16), ("_", ctypes.c_uint32))


class _ActionContext(ctypes.Structure):
    _fields_ = (
        ("fd", ctypes.c_int),
        ("dx", ctypes.c_void_p),
        ("t_opaque", ctypes.c_void_p),
        ("error", ctypes.c_void_p * 4),
        ("cb_opaque", ctypes.c_void_p),
        ("thandle", ctypes.c_int),
        ("actionpoint_opaque", ctypes.c_void_p),
        ("state", ctypes.c_int * 3),
        ("rterm", ctypes.c_void_p),
        ("query_ref", ctypes.c_int),
        ("acb", ctypes.c_void_p),
    )


class _UserInfo(ctypes.Structure):
    _fields_ = (
        ("af", ctypes.c_int),
        ("ip", _Address),
        ("port", ctypes.c_uint16),
        ("username", ctypes.c_char * 255),
        ("usid", ctypes.c_int),
        ("context", ctypes.c_char * 32),
        ("proto", ctypes.c_int),
        ("actx", _ActionContext),
        ("logintime", ctypes.c_long),
        ("lmode", ctypes.c_int),
        ("snmp_v3_ctx", ctypes.c_char * 255),
        ("clearpass", ctypes.c_char * 255),
        ("flags", ctypes.c_int),
        ("u_opaque", ctypes.c_void_p),
        ("errstr", ctypes.c_char_p),
        ("refc", ctypes.c_int),
    )


class _Commit(ctypes.Structure):
    _fields_ = (
        ("database", ctypes.c_int),
        ("diff_available", ctypes.c_int),
        ("uinfo", _UserInfo),
        ("flags", ctypes.c_int),
    )


class _Content(ctypes.Union):
    _fields_ = (
        ("audit", _Audit),
        ("commit", _Commit),
        # At least as much as the largest of those that are left out here.
        ("_", ctypes.c_uint64 * (2 * _BUFSIZ // 8)),
    )


class _Notification(ctypes.Structure):
    _fields_ = (("type", ctypes.c_int), ("n", _Content))


class Binding:
    """confd_read_notification() by ctypes, from the library that the loops in C are linked to."""

    def __init__(self, loops: ctypes.CDLL) -> None:
        self._library = loops
        self._n = _Notification()

    def read_notification(self, sock: socket.socket) -> dict[str, Any]:
        """As the function of confd_events."""
        n = self._n
        if self._library.confd_read_notification(sock.fileno(), ctypes.byref(n)) != 0:
            raise OSError(f"reading failed: {os.strerror(ctypes.get_errno())}")
        try:
            if n.type == events.NOTIF_AUDIT:
                return {"type": n.type, "audit": _audit(n.n.audit)}
            return {"type": n.type, "commit": _commit(n.n.commit)}
        finally:
            self._library.confd_free_notification(ctypes.byref(n))


def _audit(audit: _Audit) -> dict[str, Any]:
    return {
        "logno": audit.logno,
        "user": audit.user.decode(),
        "msg": audit.msg.decode(),
        "usid": audit.usid,
    }


def _commit(commit: _Commit) -> dict[str, Any]:
    return {
        "database": commit.database,
        "diff_available": commit.diff_available,
        "flags": commit.flags,
        "uinfo": _user_info(commit.uinfo),
    }


def _user_info(u: _UserInfo) -> dict[str, Any]:
    octets = bytes(u.ip.v4 if u.af == socket.AF_INET else u.ip.v6)
    return {
        "username": u.username.decode(),
        "usid": u.usid,
        "context": u.context.decode(),
        "proto": u.proto,
        "addr": socket.inet_ntop(u.af, octets) if u.af else "",
        "af": u.af,
        "port": u.port,
        "logintime": u.logintime,
        "lmode": u.lmode,
        "snmp_v3_ctx": u.snmp_v3_ctx.decode(),
        "clearpass": u.clearpass.decode(),
        "flags": u.flags,
        "actx_thandle": u.actx.thandle,
    }
