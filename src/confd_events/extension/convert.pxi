# From structs to dicts: one function for each kind of member, chosen by the rows of tables.h

ctypedef object (*converter)(const char *member, const field *f, int count)

cdef converter converters[KIND_COUNT]
cdef layout *layout_of_bit[64]

# The bits of the notifications that have more than their bit.
cdef uint64_t bits_with_payload = 0


cdef inline list new_list(Py_ssize_t size):
    """A list of its final size, each place to be filled once, by fill_list()."""
    return PyList_New(max(0, size))

cdef inline int fill_list(list into, Py_ssize_t i, value) except -1:
    Py_INCREF(value)
    PyList_SET_ITEM(into, i, value)
    return 0

cdef object convert_signed(const char *member, const field *f, int count):
    if f.size == 4:
        return (<const int32_t *>member)[0]
    if f.size == 8:
        return (<const int64_t *>member)[0]
    if f.size == 2:
        return (<const int16_t *>member)[0]
    return (<const int8_t *>member)[0]

cdef object convert_unsigned(const char *member, const field *f, int count):
    if f.size == 4:
        return (<const uint32_t *>member)[0]
    if f.size == 8:
        return (<const uint64_t *>member)[0]
    if f.size == 2:
        return (<const uint16_t *>member)[0]
    return (<const uint8_t *>member)[0]

cdef object convert_chars(const char *member, const field *f, int count):
    return chars(member, f.size)

cdef object convert_text(const char *member, const field *f, int count):
    return text((<const char *const *>member)[0])

cdef object convert_texts(const char *member, const field *f, int count):
    cdef const char *const *texts = (<const char *const *const *>member)[0]
    cdef list result = new_list(count)
    for i in range(count):
        fill_list(result, i, text(texts[i]))
    return result

cdef object convert_values(const char *member, const field *f, int count):
    cdef const confd_value_t *const *values = (<const confd_value_t *const *const *>member)[0]
    return [nothing() if values[i] == NULL else make_value(values[i]) for i in range(count)]

cdef object convert_tag_values(const char *member, const field *f, int count):
    cdef const confd_tag_value_t *values = (<const confd_tag_value_t *const *>member)[0]
    cdef TagValue made
    cdef list result = new_list(count)
    for i in range(count):
        made = TagValue.__new__(TagValue)
        made.ns = values[i].tag.ns
        made.tag = values[i].tag.tag
        copy_value(&values[i].v, &made.content)
        fill_list(result, i, made)
    return result

cdef object convert_varbinds(const char *member, const field *f, int count):
    cdef const confd_snmp_varbind *varbinds = (<const confd_snmp_varbind *const *>member)[0]
    return [make_varbind(&varbinds[i]) for i in range(count)]

cdef object convert_attributes(const char *member, const field *f, int count):
    cdef const confd_progress_attribute *a = (<const confd_progress_attribute *const *>member)[0]
    cdef dict result = {}
    for i in range(count):
        if a[i].type == CONFD_PROGRESS_ATTRIBUTE_NUMBER:
            result[text(a[i].name)] = a[i].value.number
        elif a[i].value.string != NULL:  # the library's answer to a number that it can't hold
            result[text(a[i].name)] = text(a[i].value.string)
    return result

cdef object convert_links(const char *member, const field *f, int count):
    cdef const confd_progress_link *links = (<const confd_progress_link *const *>member)[0]
    return [ProgressLink(chars(links[i].trace_id, sizeof(links[i].trace_id)),
                         chars(links[i].span_id, sizeof(links[i].span_id)))
            for i in range(count)]

cdef object convert_datetime(const char *member, const field *f, int count):
    return make_datetime(<const confd_datetime *>member)

cdef object convert_user_info(const char *member, const field *f, int count):
    return make_user_info(<const confd_user_info *>member)

cdef object convert_trans_ctx(const char *member, const field *f, int count):
    return take_trans_ctx(<confd_trans_ctx **>member)

cdef bint points_elsewhere(const confd_value_t *v):
    """Whether the value's content is memory of its own, beside a C_BUF's."""
    return v.type in (C_STR, C_QNAME, C_LIST, C_OBJECTREF, C_OID, C_BINARY, C_HEXSTR, C_BITBIG)

cdef object convert_ha_node(const char *member, const field *f, int count):
    cdef const confd_ha_node *node = <const confd_ha_node *>member
    # The library has freed what a node id points to, but for text.
    nodeid = nothing() if points_elsewhere(&node.nodeid) else make_value(&node.nodeid)
    cdef dict result = {"nodeid": nodeid, "af": node.af}
    if node.af == AF_INET:
        result["ip4"] = address_text(AF_INET, &node.addr.ip4)
    elif node.af == AF_INET6:
        result["ip6"] = address_text(AF_INET6, &node.addr.ip6)
    else:
        result["str"] = text(node.addr.str)
    return result


converters[<int>KIND_SIGNED] = convert_signed
converters[<int>KIND_UNSIGNED] = convert_unsigned
converters[<int>KIND_CHARS] = convert_chars
converters[<int>KIND_TEXT] = convert_text
converters[<int>KIND_TEXTS] = convert_texts
converters[<int>KIND_VALUES] = convert_values
converters[<int>KIND_TAG_VALUES] = convert_tag_values
converters[<int>KIND_VARBINDS] = convert_varbinds
converters[<int>KIND_ATTRIBUTES] = convert_attributes
converters[<int>KIND_LINKS] = convert_links
converters[<int>KIND_DATETIME] = convert_datetime
converters[<int>KIND_USER_INFO] = convert_user_info
converters[<int>KIND_TRANS_CTX] = convert_trans_ctx
converters[<int>KIND_HA_NODE] = convert_ha_node


cdef int put_address(dict into, const confd_ip *ip) except -1:
    into["af"] = ip.af
    if ip.af == AF_INET:
        into["ip4"] = address_text(AF_INET, &ip.ip)
    elif ip.af == AF_INET6:
        into["ip6"] = address_text(AF_INET6, &ip.ip)
    return 0


cdef int put_v1_trap(dict into, const confd_v1_trap_info *trap) except -1:
    if trap == NULL:
        return 0
    into["generic_trap"] = trap.generic_trap
    into["specific_trap"] = trap.specific_trap
    into["time_stamp"] = <uint32_t>trap.time_stamp
    if trap.enterprise.len > 0:
        into["enterprise"] = oid_list(&trap.enterprise)
    return 0


cdef inline bint is_null(const char *member):
    """Whether there is no text; a pointer to an empty one is a value."""
    return (<const char *const *>member)[0] == NULL


cdef int put_field(dict into, const char *payload, const field *f) except -1:
    """Convert one member and put it into the dict, if it is there."""
    cdef const char *member = payload + f.offset
    cdef int count = 0
    if f.when_at != NOWHERE and (<const int *>(payload + f.when_at))[0] != f.when_value:
        return 0
    if f.kind == KIND_ADDRESS:
        return put_address(into, <const confd_ip *>member)
    if f.kind == KIND_V1_TRAP:
        return put_v1_trap(into, (<const confd_v1_trap_info *const *>member)[0])
    if f.count_at != NOWHERE:
        if (<const void *const *>member)[0] != NULL:
            count = (<const int *>(payload + f.count_at))[0]
        if f.optional and count <= 0:
            return 0
    value = converters[<int>f.kind](member, f, count)
    if f.optional and not value and (f.kind != KIND_TEXT or is_null(member)):
        return 0
    into[<object>f.key_object] = value
    if f.also_object != NULL:
        into[<object>f.also_object] = value
    return 0


cdef dict to_dict(confd_notification *n):
    cdef unsigned long long type = type_of(n)
    cdef layout *kind = NULL
    if type != 0 and type & (type - 1) == 0:
        kind = layout_of_bit[__builtin_ctzll(type)]
    if kind == NULL:
        return {"type": type}
    return {"type": <object>kind.type_object,
            <object>kind.member_object: payload_dict(kind, <char *>&n.n)}


cdef dict payload_dict(layout *kind, char *payload):
    cdef dict members = presized_dict(kind.usual_size)
    cdef size_t i
    for i in range(kind.count):
        put_field(members, payload, &kind.fields[i])
    kind.usual_size = len(members)
    return members


cdef PyObject *interned(const char *name) except NULL:
    """A string that lives as long as the process."""
    return kept(PyUnicode_InternFromString(name))


cdef PyObject *kept(made) except NULL:
    """An object that lives as long as the process."""
    Py_INCREF(made)
    return <PyObject *>made


cdef int prepare_layouts() except -1:
    """Make the keys of all dicts, and the way from a bit to its layout."""
    global bits_with_payload
    cdef layout *kind = layouts
    cdef field *f
    while kind.member != NULL:
        kind.member_object = interned(kind.member)
        kind.type_object = kept(kind.type)
        for i in range(kind.count):
            f = &kind.fields[i]
            f.key_object = interned(f.key)
            f.also_object = NULL if f.also == NULL else interned(f.also)
        layout_of_bit[__builtin_ctzll(<unsigned long long>kind.type)] = kind
        bits_with_payload |= <uint64_t>kind.type
        kind += 1
    return 0


prepare_layouts()
