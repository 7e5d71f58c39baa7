/* confd_val2str(), confd_str2val(): values of enumerations and bits by their labels. */
#include <limits.h>
#include <string.h>

#include "stub.h"

static const char *label_of(const struct confd_type *type, int64_t number)
{
    for (size_t i = 0; i < type->count; i++) {
        if (type->labels[i].number == number) {
            return type->labels[i].text;
        }
    }
    return NULL;
}

static int misfit(void)
{
    return stub_fail(CONFD_ERR_BADTYPE, "Invalid value for type");
}

static bool bit_is_set(const confd_value_t *v, unsigned bit)
{
    switch (v->type) {
    case C_BIT32:
        return (v->val.b32 >> bit & 1) != 0;
    case C_BIT64:
        return (v->val.b64 >> bit & 1) != 0;
    default:
        return (v->val.buf.ptr[bit / 8] >> bit % 8 & 1) != 0;
    }
}

static unsigned bit_count(const confd_value_t *v)
{
    return v->type == C_BIT32 ? 32 : v->type == C_BIT64 ? 64 : 8 * v->val.buf.size;
}

/* Appends as much as there is room for; returns the whole length. */
static size_t append(char *buf, size_t size, size_t length, const char *separator,
                     const char *label)
{
    char unused;
    bool fits = length < size;
    int added = snprintf(fits ? buf + length : &unused, fits ? size - length : 1, "%s%s",
                         separator, label);

    return length + (added > 0 ? (size_t)added : 0);
}

static int bits_to_text(const struct confd_type *type, const confd_value_t *v, char *buf,
                        size_t size)
{
    size_t length = append(buf, size, 0, "", "");

    for (unsigned bit = 0; bit < bit_count(v); bit++) {
        const char *label;
        if (!bit_is_set(v, bit)) {
            continue;
        }
        label = label_of(type, bit);
        if (label == NULL) {
            return misfit();
        }
        length = append(buf, size, length, length > 0 ? " " : "", label);
    }
    return length < INT_MAX ? (int)length : INT_MAX;
}

static int enum_to_text(const struct confd_type *type, const confd_value_t *v, char *buf,
                        size_t size)
{
    const char *label = label_of(type, v->val.enumvalue);

    return label != NULL ? (int)append(buf, size, 0, "", label) : misfit();
}

int confd_val2str(struct confd_type *type, const confd_value_t *val, char *buf, size_t bufsiz)
{
    if (type == NULL) {
        return stub_fail(CONFD_ERR_BADTYPE, "Invalid type reference");
    }
    if (val->type == C_ENUM_VALUE) {
        return enum_to_text(type, val, buf, bufsiz);
    }
    if (val->type == C_BIT32 || val->type == C_BIT64 || val->type == C_BITBIG) {
        return bits_to_text(type, val, buf, bufsiz);
    }
    return misfit();
}

/* Only enumerations: the tables do not say which types are bits. */
int confd_str2val(struct confd_type *type, const char *str, confd_value_t *val)
{
    if (type == NULL) {
        return stub_fail(CONFD_ERR_PROTOUSAGE, "Need a type");
    }
    for (size_t i = 0; i < type->count; i++) {
        if (strcmp(type->labels[i].text, str) == 0) {
            *val = (confd_value_t){.type = C_ENUM_VALUE,
                                   .val.enumvalue = (int32_t)type->labels[i].number};
            return CONFD_OK;
        }
    }
    return stub_fail(CONFD_ERR_BADTYPE, "No value for \"%s\"", str);
}
