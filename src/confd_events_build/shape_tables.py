"""Write shape_tables.h: the shapes of the notifications of one release, for terms.h."""

from __future__ import annotations

from collections.abc import Mapping

from .description import shapes

KINDS = ("integer", "float", "atom", "binary", "tuple", "nil", "string", "list")
"""In the order of their numbers in terms.h."""

_CHOOSERS = {None: "BY_NOTHING", shapes.ARITY: "BY_ARITY", shapes.KIND: "BY_KIND"}
_TAGS = {False: "NO_TAG", None: "PERHAPS_TAG", True: "A_TAG"}


def render(api_level: str, product: str, bits: Mapping[str, str]) -> str:
    """Return the text of shape_tables.h.

    bits -- the C expression for each notification that the release has
    """
    all_shapes = dict(shapes.shapes(api_level, product))
    rows = []
    for name, described in shapes.notifications(api_level, product):
        if name in bits:
            all_shapes.update(_of_notification(name, described))
            rows.append(f'    [NUMBER_OF({bits[name]})] = {{"{name}", &shapes[{name}_SHAPE]}},')
    numbers = "".join(f"    {_id(name)},\n" for name in all_shapes)
    return "\n".join(
        [
            f"/* Written by the build for API level {api_level} of {product}. */",
            "#ifndef SHAPE_TABLES_H\n#define SHAPE_TABLES_H",
            f"enum {{\n{numbers}}};",
            "static const struct shape shapes[] = {",
            *(_row(name, shape) for name, shape in all_shapes.items()),
            "};",
            "static const struct described described[64] = {",
            *rows,
            "};",
            "#endif\n",
        ]
    )


def _of_notification(name: str, of: shapes.Described) -> dict[str, shapes.Shape]:
    choices = {number: f"{name}_{number}" for number in of.choices}
    made = {
        n: shapes.Shape("a tuple", "tuple", of.choices[number]) for number, n in choices.items()
    }
    whole = shapes.Shape(
        "a tuple", "tuple", of.elements, fewest=of.fewest, choose=of.choose, choices=choices
    )
    return {name: whole, **made}


def _id(name: str) -> str:
    return f"{name}_SHAPE"


def _row(name: str, shape: shapes.Shape) -> str:
    elements = shape.elements.split()
    fewest = len(elements) if shape.fewest is None else shape.fewest
    kinds = " | ".join(f"1 << {KINDS.index(kind)}" for kind in shape.kinds.split()) or "0"
    listed = ", ".join(map(_id, elements)) or "0"
    by_number = {
        KINDS.index(n) if isinstance(n, str) else n: _id(chosen)
        for n, chosen in shape.choices.items()
    }
    count = max(by_number, default=-1) + 1
    choices = ", ".join(by_number.get(n, "NO_SHAPE") for n in range(count)) or "NO_SHAPE"
    parts = (
        f'"{shape.what}"',
        kinds,
        fewest,
        shape.most,
        len(elements),
        int(shape.counted),
        _TAGS[shape.tag],
        f"{shape.range.upper()}_RANGE",
        _chooser(shape),
        _id(shape.rest),
        _id(shape.items),
        f"(const unsigned char[]){{{listed}}}",
        f"(const unsigned char[]){{{choices}}}",
        count,
        int(shape.only),
    )
    return f"    [{_id(name)}] = {{{', '.join(map(str, parts))}}},"


def _chooser(shape: shapes.Shape) -> str:
    return str(shape.choose) if isinstance(shape.choose, int) else _CHOOSERS[shape.choose]
