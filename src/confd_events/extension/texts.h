/* Texts of notifications: users, contexts, devices, attributes. The same come again and again, so
 * short ones are kept and shared, which is faster than to make them anew, and smaller. */
#ifndef CONFD_EVENTS_TEXTS_H
#define CONFD_EVENTS_TEXTS_H

#include <stdint.h>
#include <string.h>

#include <Python.h>

/* A text of more bytes is not kept: it is hardly the same again. A trace id has 32 or 36. */
enum { KEPT_SIZE = 36, KEPT_TEXTS = 512 };

static PyObject *kept_texts[KEPT_TEXTS];

static inline PyObject **place_of(const char *s, size_t size)
{
    uint64_t head = 0, tail = 0;
    if (size >= 8) {
        memcpy(&head, s, 8);
        memcpy(&tail, s + size - 8, 8);
    } else {
        for (size_t i = 0; i < size; i++)
            head = head << 8 | (unsigned char)s[i];
    }
    uint64_t hash = (head * 0x9e3779b97f4a7c15u ^ tail ^ size) * 0x9e3779b97f4a7c15u;
    return &kept_texts[hash >> 55];
}

/* What is kept is ASCII: its characters are its bytes. */
static inline const char *bytes_of(PyObject *text, size_t *size)
{
#ifdef Py_LIMITED_API
    Py_ssize_t length = 0;
    const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
    *size = (size_t)length;
    return bytes;
#else
    *size = (size_t)PyUnicode_GET_LENGTH(text);
    return PyUnicode_DATA(text);
#endif
}

static inline int is_text(PyObject *text, const char *s, size_t size)
{
    size_t length;
    const char *bytes = text ? bytes_of(text, &length) : NULL;
    return bytes && length == size && memcmp(bytes, s, size) == 0;
}

static inline int is_ascii(const char *s, size_t size)
{
    unsigned char all = 0;
    for (size_t i = 0; i < size; i++)
        all |= (unsigned char)s[i];
    return all < 0x80;
}

/* Text that need not be UTF-8: odd bytes become lone surrogates. */
static inline PyObject *new_text(const char *s, size_t size)
{
    return PyUnicode_DecodeUTF8(s, (Py_ssize_t)size, "surrogateescape");
}

/* As new_text(), but perhaps shared: not for secrets, which must not be kept. */
static inline PyObject *shared_text(const char *s, size_t size)
{
    if (size - 1 >= KEPT_SIZE)
        return new_text(s, size);
    PyObject **place = place_of(s, size);
    if (is_text(*place, s, size)) {
        Py_INCREF(*place);
        return *place;
    }
    PyObject *made = new_text(s, size);
    if (made && is_ascii(s, size)) {
        PyObject *before = *place;
        Py_INCREF(made);
        *place = made;
        Py_XDECREF(before);
    }
    return made;
}

#endif
