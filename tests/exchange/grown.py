"""Workbooks that are small on disk and grow when read."""

import io
import zipfile

PACKAGE = "http://schemas.openxmlformats.org/package/2006"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
TYPES = (
    f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'  # noqa: E501
    '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>'
)
BOOK = f'<workbook {MAIN} xmlns:r="{OFFICE}"><sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>'
FAR = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c {}><v>1</v></c></row>'
MB = 1_000_000


def relations(*pairs: tuple[str, str]) -> str:
    inner = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/{kind}" Target="{target}"/>'
        for n, (kind, target) in enumerate(pairs, 1)
    )
    return f'<Relationships xmlns="{PACKAGE}/relationships">{inner}</Relationships>'


def sheet(rows: str, before: str = "", after: str = "", doctype: str = "") -> str:
    return f"{doctype}<worksheet {MAIN}>{before}<sheetData>{rows}</sheetData>{after}</worksheet>"


def workbook(content: str, target: str = "worksheets/sheet1.xml", shared: str = "") -> bytes:
    out = io.BytesIO()
    pairs = [("worksheet", target)] + ([("sharedStrings", "sharedStrings.xml")] if shared else [])
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as z:
        z.writestr("[Content_Types].xml", TYPES)
        z.writestr("_rels/.rels", relations(("officeDocument", "xl/workbook.xml")))
        z.writestr("xl/workbook.xml", BOOK)
        z.writestr("xl/_rels/workbook.xml.rels", relations(*pairs))
        z.writestr(f"xl/{target}", content)
        if shared:
            z.writestr("xl/sharedStrings.xml", shared)
    return out.getvalue()


def cells(unit: str, size: int) -> str:
    return unit * (size // len(unit))


def books() -> dict[str, bytes]:
    laughs = (
        "<!DOCTYPE x [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY {chr(98 + i)} '{('&' + chr(97 + i) + ';') * 10}'>" for i in range(9))
        + "]>"
    )
    text = '<row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row>'
    many = "".join(f'<row r="{i}"><c r="A{i}"><v>1</v></c></row>' for i in range(1, 100_000))
    return {
        "far-double-quotes": workbook(sheet(FAR.format('r="XFD1048576"'))),
        "far-single-quotes": workbook(sheet(FAR.format("r='XFD1048576'"))),
        "far-spaces": workbook(sheet(FAR.format('r = "XFD1048576"'))),
        "far-lower-case": workbook(sheet(FAR.format('r="xfd1048576"'))),
        "far-other-folder": workbook(sheet(FAR.format('r="XFD1048576"')), target="sheets/sheet1.xml"),
        "far-other-ending": workbook(sheet(FAR.format('r="XFD1048576"')), target="worksheets/sheet1.XML"),
        "far-8000": workbook(sheet(FAR.replace("1048576", "8000").format("r='XFD8000'"))),
        "cells-without-address": workbook(sheet("<row>" + cells("<c><v>1</v></c>", 25 * MB) + "</row>")),
        "rows-without-address": workbook(sheet(cells("<row><c><v>1</v></c></row>", 25 * MB))),
        "shared-strings": workbook(
            sheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>'),
            shared=f"<sst {MAIN}>{cells('<si><t>a</t></si>', 25 * MB)}</sst>",
        ),
        "huge-cell": workbook(sheet(text.format("A" * (25 * MB)))),
        "dimension": workbook(
            sheet('<row r="1"><c r="A1"><v>1</v></c></row>', before='<dimension ref="A1:XFD1048576"/>')
        ),
        "entities": workbook(sheet(text.format("&j;"), doctype=laughs)),
        "merged": workbook(sheet(many, after="<mergeCells>" + '<mergeCell ref="A1:A99999"/>' * 2000 + "</mergeCells>")),
    }
