"""Answers that are not the resource, with the bodies that the API and the gateways before it give.

JSON forms: 404 recorded, 401 and 403 as several public clients quote them. No 429 was ever recorded; clients report
"{}" or nothing and no Retry-After, so all of that can be chosen. 502, 503 and 504 come from gateways, as HTML.
"""

from jobs.simulator.http1 import HTML_TYPE, Answer
from jobs.simulator.options import Options

_HTML = b"<html>\r\n<head><title>%d</title></head>\r\n<body><center><h1>%d</h1></center></body>\r\n</html>\r\n"
_DETAILS = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
}
_GATEWAY = range(502, 505)


def refusal(status: int) -> Answer:
    """Return the usual answer of a status."""
    if status in _GATEWAY or status not in _DETAILS:
        return page(status)
    body = f'{{"code":{status},"type":"BLZWEBAPI{status:08d}","detail":"{_DETAILS[status]}"}}'
    return Answer(status=status, body=body.encode())


def page(status: int) -> Answer:
    """Return an HTML page with a status, as gateways show it."""
    return Answer(status=status, body=_HTML % (status, status), kind=HTML_TYPE)


def empty(status: int) -> Answer:
    """Return a status without a body."""
    return Answer(status=status)


def oauth_error(status: int, error: str, description: str) -> Answer:
    """Return an error of the token endpoint (RFC 6749 form)."""
    body = f'{{"error":"{error}","error_description":"{description}"}}'
    return Answer(status=status, body=body.encode())


def too_many(options: Options) -> Answer:
    """Return a 429 in the chosen form."""
    forms = {"empty": empty(429), "braces": Answer(status=429, body=b"{}"), "json": refusal(429), "html": page(429)}
    answer = forms[options.refusal]
    if options.retry_after:
        answer.lines.append(b"Retry-After: 1\r\n")
    return answer
