"""The parts of a run's work, for the flame graph: the functions that do it, and a sentence on each."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """A kind of work, recognised by the names of its functions."""

    name: str
    pattern: str
    sentence: str


#: Calls of the system that send and receive.
_CALLS = "sendto|send|recvfrom|recv|writev|write|read|readv|connect|socket|close|accept4"
_ALLOCATOR = "malloc|free|realloc|calloc|cfree|memalign|_int_|int_malloc|unlink_chunk|tcache"

#: In the order in which they are tried.
PARTS = [
    Part(
        "the allocator",
        rf"^_*(GI_*)?(libc_)?({_ALLOCATOR})|alloc::alloc",
        "Memory is taken and returned: buffers of requests and answers, strings of events.",
    ),
    Part(
        "hashing and signing",
        r"sigv4|ring_core|^ring::|sha256|hmac|direct::sign|digest",
        "Each request is signed with Signature Version 4: two hashes of the request and one keyed hash.",
    ),
    Part("TLS", r"^rustls|tokio_rustls", "Requests are encrypted."),
    Part(
        "the AWS SDK",
        r"aws_smithy|aws_sdk|aws_runtime|aws_config|aws_credential|tower",
        "The SDK turns a call into a request: interceptors, the endpoint, retries, types.",
    ),
    Part(
        "sockets, in the kernel",
        rf"^(__)?(x64_sys_|__x64_sys_)?({_CALLS})$|^tcp_|^ip_|^sock_|^inet_|^__tcp|^__ip|loopback|^net_rx|skb",
        "The kernel moves requests and answers over the loopback device.",
    ),
    Part(
        "waiting, in the kernel",
        r"epoll|^ep_|futex|schedule|eventfd|nanosleep|hrtimer|clock_gettime",
        "Threads sleep and wake up: epoll for sockets, futexes between threads.",
    ),
    Part(
        "HTTP",
        r"hyper|httparse|^http::|h2::|http_body|direct::connections|direct::answer",
        "Requests are written, and the heads and bodies of answers are read.",
    ),
    Part(
        "the state machine",
        r"lambda_executor::executor::machine",
        "The library decides what happens next to each task: queues, limits, matching of results, deletes.",
    ),
    Part(
        "JSON",
        r"serde|executor::wire|base64|md5",
        "Events for the function are written; results and the answers of SQS are read.",
    ),
    Part("requests", r"lambda_executor::aws", "The library's own path of requests: heads, bodies, errors."),
    Part(
        "the driver",
        r"lambda_executor::(executor|runtime|metrics|observe)",
        "Calls are started, answers are passed to the state machine, statistics are counted.",
    ),
    Part(
        "the async runtime",
        r"tokio|mio::|parking_lot|futures",
        "tokio chooses which future runs next, and keeps timers.",
    ),
    Part(
        "the C API and its caller",
        r"lambda_executor_|^main$|lambda_executor::ffi|snprintf|printf",
        "The program makes keys, queues tasks and reads events; the library checks and copies what it is given.",
    ),
    Part(
        "copies and pages",
        r"mem(cpy|move|set|cmp)|^rep_movs|clear_page|page_fault|handle_mm|do_anonymous",
        "Bytes are copied, and the kernel makes pages for new memory.",
    ),
]
OTHER = Part("other", "", "Everything that is none of the parts above.")


def part_of(stack: tuple[str, ...]) -> Part:
    """The part of the innermost function that belongs to one. The first entry of a stack is the thread."""
    for frame in reversed(stack[1:]):
        for part in PARTS:
            if re.search(part.pattern, frame):
                return part
    return OTHER
