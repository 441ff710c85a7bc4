"""The one thing needed of multipart/form-data: the field `file`."""

from email.message import Message
from email.parser import HeaderParser

from images import Refused


def uploaded_file(content_type: str, body: bytes) -> tuple[bytes, str]:
    """The bytes of the field `file`, and the name it came with."""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise Refused(415, "POST takes multipart/form-data with the photo as `file`")
    delimiter = b"\r\n--" + boundary.encode("latin-1")
    body = b"\r\n" + body
    end_of_part = body.find(delimiter)
    while end_of_part >= 0:
        start = end_of_part + len(delimiter)
        end_of_part = body.find(delimiter, start)
        end_of_headers = body.find(b"\r\n\r\n", start, end_of_part)
        if end_of_part < 0 or end_of_headers < 0:
            break
        headers = body[start:end_of_headers].decode("utf-8", "replace").lstrip()
        part = HeaderParser().parsestr(headers)
        if part.get_param("name", header="content-disposition") == "file":
            name = part.get_filename() or "image"
            return body[end_of_headers + 4 : end_of_part], name
    raise Refused(400, "the form has no whole field `file`")
